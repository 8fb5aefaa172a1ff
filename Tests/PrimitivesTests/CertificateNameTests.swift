import Primitives
import Testing

/// RFC 5280 sections 7.2 and 7.4.
@Suite struct CertificateNameTests {
  @Test(arguments: [
    ("crm.corp.example", "CRM.Corp.Example"), ("spiffe://corp.example/crm", "SPIFFE://Corp.Example/crm"),
    ("https://host.example:8443?q", "HTTPS://HOST.example:8443?q"), ("urn:x:Y", "URN:x:Y"),
    ("https://a", "https://A"),
  ])
  func theseAreTheSame(_ written: String, _ also: String) {
    let (one, other) = (Text(written), Text(also))
    #expect(CertificateName(written: one) == CertificateName(written: other))
    #expect(Set([CertificateName(written: one), CertificateName(written: other)]).count == 1)
  }

  @Test(arguments: [
    ("crm.corp.example", "crm.corp.example."), ("crm.corp.example", "hr.corp.example"),
    ("crm.corp.example", "crm.corp.example\0.evil.example"), ("*.corp.example", "crm.corp.example"),
    ("spiffe://corp.example/crm", "spiffe://corp.example/CRM"), ("https://a/?q=B", "https://a/?q=b"),
    ("urn:x:y", "urn:X:y"),
    // The Kelvin sign is no K.
    ("k.example", "\u{212A}.example"),
  ])
  func theseAreNot(_ written: String, _ also: String) {
    let (one, other) = (Text(written), Text(also))
    #expect(CertificateName(written: one) != CertificateName(written: other))
  }

  /// An authority that may vouch for DNS names only must not get at a tenant that is named by a URI.
  @Test func aNameOfOneKindIsNoneOfTheOther() {
    #expect(
      CertificateName(dnsName: "spiffe://corp.example/crm")
        != CertificateName(written: "spiffe://corp.example/crm"))
    #expect(CertificateName(uri: "crm.corp.example") != CertificateName(written: "crm.corp.example"))
  }
}

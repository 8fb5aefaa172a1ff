internal import COpenSSL
package import Primitives

/// Why PEM text cannot serve as certificate or key.
package enum PEMFault: Error, Sendable, Hashable {
  case noCertificate
  /// The certificate with this number, from 1, cannot be read.
  case unreadableCertificate(number: Int)
  /// There is none, or it is encrypted, or of an unknown kind.
  case noPrivateKey
  case keyOfAnotherCertificate

  package var message: String {
    switch self {
    case .noCertificate: "holds no PEM certificate"
    case .unreadableCertificate(let number): "certificate \(number) cannot be read"
    case .noPrivateKey: "holds no unencrypted PEM private key"
    case .keyOfAnotherCertificate: "the private key does not belong to the certificate"
    }
  }
}

/// What a certificate says that OpenSSL does not judge before somebody connects.
package struct CertificateFacts: Sendable, Hashable {
  package let notBefore: WallClockTime
  package let notAfter: WallClockTime
  /// Whether it names the certificate behind it as its issuer; `nil` when there is none.
  package let isIssuedByNext: Bool?
}

/// Looks at PEM files (RFC 7468) without keeping anything of them.
package enum PEM {
  /// The certificates that `bytes` hold, all of which can be read.
  @discardableResult
  package static func checkCertificates(_ bytes: [UInt8]) throws(PEMFault) -> [CertificateFacts] {
    var certificates: [OpaquePointer] = []
    defer { for certificate in certificates { X509_free(certificate) } }
    ERR_clear_error()
    _ = forEachCertificate(in: bytes) { certificate in
      X509_up_ref(certificate)
      certificates.append(certificate)
      return true
    }
    // That no further certificate begins is how a readable file ends.
    let isAtEnd = gh_is_pem_end(ERR_peek_last_error()) == 1
    ERR_clear_error()
    if !isAtEnd { throw .unreadableCertificate(number: certificates.count + 1) }
    guard !certificates.isEmpty else { throw .noCertificate }
    return certificates.indices.map { index in
      CertificateFacts(
        notBefore: time(X509_get0_notBefore(certificates[index])),
        notAfter: time(X509_get0_notAfter(certificates[index])),
        isIssuedByNext: index + 1 < certificates.count
          ? X509_check_issued(certificates[index + 1], certificates[index]) == X509_V_OK : nil)
    }
  }

  /// Whether `bytes` hold a private key, which must be that of the first of `certificates` when they are given.
  package static func checkPrivateKey(_ bytes: [UInt8], of certificates: [UInt8]?) throws(PEMFault) {
    defer { ERR_clear_error() }
    var belongs = true
    let found = withPrivateKey(bytes) { key in
      guard let certificates else { return true }
      _ = forEachCertificate(in: certificates) { leaf in
        belongs = X509_check_private_key(leaf, key) == 1
        return false
      }
      return true
    }
    guard found != nil else { throw .noPrivateKey }
    guard belongs else { throw .keyOfAnotherCertificate }
  }

  /// Calls `body` with each certificate until it says `false`. What ended it other than that is in OpenSSL's queue.
  /// - Returns: whether `body` never did.
  static func forEachCertificate(in bytes: [UInt8], _ body: (OpaquePointer) -> Bool) -> Bool {
    withReader(bytes) { reader in
      while let certificate = PEM_read_bio_X509_AUX(reader, nil, gh_no_passphrase, nil) {
        defer { X509_free(certificate) }
        guard body(certificate) else { return false }
      }
      return true
    } ?? false
  }

  /// `nil` when there is no unencrypted key.
  static func withPrivateKey<R>(_ bytes: [UInt8], _ body: (OpaquePointer) -> R) -> R? {
    withReader(bytes) { reader in
      // Without an answer to its question for a passphrase OpenSSL would ask the terminal.
      guard let key = PEM_read_bio_PrivateKey(reader, nil, gh_no_passphrase, nil) else { return nil }
      defer { EVP_PKEY_free(key) }
      return body(key)
    } ?? nil
  }

  private static func withReader<R>(_ bytes: [UInt8], _ body: (OpaquePointer) -> R) -> R? {
    bytes.withUnsafeBytes { buffer in
      guard let reader = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
        return nil
      }
      defer { BIO_free(reader) }
      return body(reader)
    }
  }

  /// A time of a certificate; one that cannot be read, which a parsed certificate does not have, is long ago.
  static func time(_ written: UnsafePointer<ASN1_TIME>?) -> WallClockTime {
    guard let epoch = ASN1_TIME_set(nil, 0) else { return WallClockTime(seconds: 0) }
    defer { ASN1_STRING_free(epoch) }
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard ASN1_TIME_diff(&days, &seconds, epoch, written) == 1 else { return WallClockTime(seconds: 0) }
    return WallClockTime(seconds: Int64(days) * 86_400 + Int64(seconds))
  }
}

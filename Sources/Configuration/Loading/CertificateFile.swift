internal import OpenSSLCrypto
package import Primitives
internal import StrictJSON

/// Certificates of a file that the configuration names, for whoever knows what time it is.
package struct CertificateFile: Sendable {
  /// Where it is named.
  let config: String
  let file: FileReference
  let facts: [CertificateFacts]

  /// What of it has ended or not begun. Whoever connects will not trust it, and yet it serves.
  package func problems(at now: WallClockTime) -> [Problem] {
    facts.enumerated().compactMap { index, certificate in
      let fault: String
      if certificate.notAfter < now {
        fault = "ended on \(certificate.notAfter.rfc3339)"
      } else if now < certificate.notBefore {
        fault = "begins on \(certificate.notBefore.rfc3339)"
      } else {
        return nil
      }
      return Problem(
        file: config, position: file.position, severity: .warning,
        message: "\(quoted(file.path)): certificate \(index + 1) \(fault), and whoever checks it refuses it")
    }
  }
}

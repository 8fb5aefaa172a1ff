internal import COpenSSL

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

/// Looks at PEM files (RFC 7468) without keeping anything of them.
package enum PEM {
  /// Whether `bytes` hold certificates, all of which can be read.
  package static func checkCertificates(_ bytes: [UInt8]) throws(PEMFault) {
    let fault: PEMFault? = withReader(bytes) { reader in
      var number = 0
      while true {
        ERR_clear_error()
        guard let certificate = PEM_read_bio_X509(reader, nil, nil, nil) else { break }
        X509_free(certificate)
        number += 1
      }
      // That no further certificate begins is how a readable file ends.
      let isAtEnd = gh_is_pem_end(ERR_peek_last_error()) == 1
      ERR_clear_error()
      if !isAtEnd { return .unreadableCertificate(number: number + 1) }
      return number == 0 ? .noCertificate : nil
    }
    if let fault { throw fault }
  }

  /// Whether `bytes` hold a private key, which must be that of the first of `certificates` when they are given.
  package static func checkPrivateKey(_ bytes: [UInt8], of certificates: [UInt8]?) throws(PEMFault) {
    let fault: PEMFault? = withReader(bytes) { reader in
      defer { ERR_clear_error() }
      // Without an answer to its question for a passphrase OpenSSL would ask the terminal.
      guard let key = PEM_read_bio_PrivateKey(reader, nil, gh_no_passphrase, nil) else {
        return .noPrivateKey
      }
      defer { EVP_PKEY_free(key) }
      guard let certificates else { return nil }
      return withReader(certificates) { reader in
        guard let certificate = PEM_read_bio_X509(reader, nil, nil, nil) else { return nil }
        defer { X509_free(certificate) }
        return X509_check_private_key(certificate, key) == 1 ? nil : .keyOfAnotherCertificate
      }
    }
    if let fault { throw fault }
  }

  private static func withReader(_ bytes: [UInt8], _ body: (OpaquePointer) -> PEMFault?) -> PEMFault? {
    bytes.withUnsafeBytes { buffer in
      guard let reader = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else {
        return .noCertificate
      }
      defer { BIO_free(reader) }
      return body(reader)
    }
  }
}

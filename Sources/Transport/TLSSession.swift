internal import COpenSSL
internal import OpenSSLCrypto
internal import Primitives

/// One TLS connection over a socket. OpenSSL reads and writes the descriptor itself.
final class TLSSession {
  /// What a call that could not go on waits for.
  enum Progress { case done(Int), needs(Socket.Interest), ended }

  private let ssl: OpaquePointer
  /// Written by OpenSSL's reads.
  private let lastReadWasShort = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

  init(_ context: TLSContext, descriptor: Int32) throws(TransportError) {
    guard let ssl = SSL_new(context.context) else { throw .tls(TLSContext.lastError()) }
    self.ssl = ssl
    SSL_set_fd(ssl, descriptor)
    lastReadWasShort.initialize(to: 0)
    gh_SSL_watch_reads(ssl, lastReadWasShort)
  }

  deinit {
    SSL_free(ssl)
    lastReadWasShort.deallocate()
  }

  /// Whether OpenSSL has read more than it has handed out.
  var hasPending: Bool { SSL_has_pending(ssl) == 1 }

  /// Whether the last read of the descriptor brought less than was asked for: nothing is to be tried again before the
  /// next event.
  var hasEmptiedSocket: Bool { lastReadWasShort.pointee != 0 }

  func beServer() { SSL_set_accept_state(ssl) }

  /// Sends `host` as SNI (names only, RFC 6066) and requires the certificate to be for it.
  func beClient(host: String, isAddress: Bool) {
    SSL_set_connect_state(ssl)
    if isAddress {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host)
    } else {
      _ = gh_SSL_set_tlsext_host_name(ssl, host)
      SSL_set1_host(ssl, host)
    }
  }

  // `SSL_get_error` looks at the thread's error queue: what others left there must be gone before each call.

  func handshake() throws(TransportError) -> Progress {
    ERR_clear_error()
    return try judge(SSL_do_handshake(ssl))
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Progress {
    ERR_clear_error()
    return try judge(SSL_read(ssl, buffer.baseAddress, Int32(buffer.count)))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Progress {
    ERR_clear_error()
    return try judge(SSL_write(ssl, bytes.baseAddress, Int32(min(bytes.count, 1 << 30))))
  }

  /// Sends close_notify if that is possible at once; the answer is not waited for.
  func shutdown() {
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  private func judge(_ result: Int32) throws(TransportError) -> Progress {
    if result > 0 { return .done(Int(result)) }
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .needs(.read)
    case SSL_ERROR_WANT_WRITE: return .needs(.write)
    case SSL_ERROR_ZERO_RETURN: return .ended
    case SSL_ERROR_SYSCALL:
      ERR_clear_error()
      throw .closed
    default:
      let verification = SSL_get_verify_result(ssl)
      guard verification == X509_V_OK else {
        ERR_clear_error()
        throw .tls(
          "certificate verification failed: \(String(cString: X509_verify_cert_error_string(verification)))")
      }
      throw .tls(TLSContext.lastError())
    }
  }

  /// The URI and DNS subject alternative names of the verified peer certificate; empty when it sent none.
  func peerNames() -> [CertificateName] {
    guard let certificate = SSL_get1_peer_certificate(ssl) else { return [] }
    defer { X509_free(certificate) }
    guard SSL_get_verify_result(ssl) == X509_V_OK else { return [] }
    let names = gh_subject_alternative_names(certificate)
    defer { gh_free_names(names) }
    var found: [CertificateName] = []
    var index: Int32 = 0
    while true {
      var bytes: UnsafePointer<UInt8>?
      var length: Int32 = 0
      let kind = gh_subject_alternative_name(names, index, &bytes, &length)
      if kind < 0 { return found }
      index += 1
      guard kind > 0, let text = Text(validating: UnsafeBufferPointer(start: bytes, count: Int(length)))
      else { continue }
      found.append(kind == 1 ? CertificateName(dnsName: text) : CertificateName(uri: text))
    }
  }
}

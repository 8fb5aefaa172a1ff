internal import COpenSSL

/// Certificates, trust and protocol versions of one listener or of the upstream: TLS 1.2 and 1.3.
///
/// `@unchecked Sendable`: an `SSL_CTX` is not changed after `init`, and OpenSSL counts its owners atomically.
package final class TLSContext: @unchecked Sendable {
  package enum ClientCertificate: String, Sendable { case none, optional, required }

  let context: OpaquePointer

  private init(method: OpaquePointer?) throws(TransportError) {
    guard let context = SSL_CTX_new(method) else { throw .tls(Self.lastError()) }
    self.context = context
    _ = gh_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
    // The buffer of a retried write may have moved, and part of it may have gone out.
    _ = gh_SSL_CTX_set_mode(
      context,
      Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        | Int(SSL_MODE_RELEASE_BUFFERS))
    // One read takes what is there, where otherwise each record would take two.
    gh_SSL_CTX_read_ahead(context)
  }

  deinit { SSL_CTX_free(context) }

  /// For a listener. `certificate` and `privateKey` are PEM files; `clientCA` is needed unless `clients` is `.none`.
  package static func server(
    certificate: String, privateKey: String, clientCA: String?, clients: ClientCertificate
  ) throws(TransportError) -> TLSContext {
    let tls = try TLSContext(method: TLS_server_method())
    guard SSL_CTX_use_certificate_chain_file(tls.context, certificate) == 1 else {
      throw .tls("certificate `\(certificate)`: \(lastError())")
    }
    guard SSL_CTX_use_PrivateKey_file(tls.context, privateKey, SSL_FILETYPE_PEM) == 1,
      SSL_CTX_check_private_key(tls.context) == 1
    else { throw .tls("private key `\(privateKey)`: \(lastError())") }
    gh_SSL_CTX_select_http11(tls.context)
    guard clients != .none else { return tls }
    guard let clientCA, SSL_CTX_load_verify_locations(tls.context, clientCA, nil) == 1 else {
      throw .tls("client CA `\(clientCA ?? "")`: \(lastError())")
    }
    SSL_CTX_set_client_CA_list(tls.context, SSL_load_client_CA_file(clientCA))
    let mode = SSL_VERIFY_PEER | (clients == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
    SSL_CTX_set_verify(tls.context, mode, nil)
    // Sessions are not resumed from a cache: each connection shows its certificate again.
    _ = gh_SSL_CTX_set_session_cache_off(tls.context)
    var id: [UInt8] = Array("gatehouse".utf8)
    SSL_CTX_set_session_id_context(tls.context, &id, UInt32(id.count))
    return tls
  }

  /// For connections to the upstream, whose certificate is verified against `caFile` or the system's trust store.
  package static func client(caFile: String?) throws(TransportError) -> TLSContext {
    let tls = try TLSContext(method: TLS_client_method())
    if let caFile {
      guard SSL_CTX_load_verify_locations(tls.context, caFile, nil) == 1 else {
        throw .tls("CA file `\(caFile)`: \(lastError())")
      }
    } else {
      SSL_CTX_set_default_verify_paths(tls.context)
    }
    SSL_CTX_set_verify(tls.context, SSL_VERIFY_PEER, nil)
    gh_SSL_CTX_offer_http11(tls.context)
    return tls
  }

  /// The oldest error OpenSSL has queued on this thread, in its words; the queue is cleared.
  static func lastError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return "unknown error" }
    if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
    return "error \(code)"
  }
}

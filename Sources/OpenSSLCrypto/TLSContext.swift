internal import COpenSSL
package import Primitives

/// Why OpenSSL does not serve or trust with what it was given.
package struct TLSFault: Error, Sendable, Hashable {
  package enum Part: Sendable, Hashable { case certificate, privateKey, authorities, context }
  package let part: Part
  /// In OpenSSL's words.
  package let reason: String

  package var message: String {
    let advice =
      switch reason {
      case "ee key too small", "ca key too small":
        "; expected RSA of at least 2048 bits, or an elliptic curve"
      case "ca md too weak": "; expected a signature with SHA-256 or better"
      default: ""
      }
    return "OpenSSL refuses it: \(reason)\(advice)"
  }
}

/// Certificates, trust and protocol versions of one listener or of the upstream: TLS 1.2 and 1.3. Made of bytes: what was
/// checked when files were loaded is what is used, whatever becomes of the files.
///
/// `@unchecked Sendable`: an `SSL_CTX` is not changed after it is made, and OpenSSL counts its owners atomically.
package final class TLSContext: @unchecked Sendable {
  package enum ClientCertificate: String, Sendable, CaseIterable {
    /// Not asked for.
    case none
    /// Asked for; verified when there is one.
    case optional
    /// The handshake fails without one.
    case required
  }

  /// An `SSL_CTX`.
  package let context: OpaquePointer

  private init(method: OpaquePointer?) throws(TLSFault) {
    guard let context = SSL_CTX_new(method) else { throw Self.fault(.context) }
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

  /// For a listener. All are PEM; `certificates` begin with the leaf, and `authorities` are needed unless `clients` is `.none`.
  package static func server(
    certificates: [UInt8], privateKey: [UInt8], authorities: [UInt8]?, clients: ClientCertificate
  ) throws(TLSFault) -> TLSContext {
    let tls = try TLSContext(method: TLS_server_method())
    try tls.use(chain: certificates)
    try tls.use(privateKey: privateKey)
    gh_SSL_CTX_select_http11(tls.context)
    guard clients != .none else { return tls }
    try tls.trust(authorities ?? [], namingThem: true)
    let mode = SSL_VERIFY_PEER | (clients == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
    SSL_CTX_set_verify(tls.context, mode, nil)
    // Sessions are not resumed from a cache: each connection shows its certificate again.
    _ = gh_SSL_CTX_set_session_cache_off(tls.context)
    var id: [UInt8] = Array("gatehouse".utf8)
    SSL_CTX_set_session_id_context(tls.context, &id, UInt32(id.count))
    return tls
  }

  /// For connections to the upstream, whose certificate is verified against `authorities` (PEM) or, without them, against the
  /// system's trust store as it is now.
  package static func client(authorities: [UInt8]?) throws(TLSFault) -> TLSContext {
    let tls = try TLSContext(method: TLS_client_method())
    if let authorities {
      try tls.trust(authorities, namingThem: false)
    } else {
      SSL_CTX_set_default_verify_paths(tls.context)
    }
    SSL_CTX_set_verify(tls.context, SSL_VERIFY_PEER, nil)
    gh_SSL_CTX_offer_http11(tls.context)
    return tls
  }

  /// When the certificate that it shows ends; `nil`: it shows none.
  package var certificateEnd: WallClockTime? {
    SSL_CTX_get0_certificate(context).map { PEM.time(X509_get0_notAfter($0)) }
  }

  private func use(chain: [UInt8]) throws(TLSFault) {
    try Self.attempt(.certificate) {
      var isLeaf = true
      let isGood = PEM.forEachCertificate(in: chain) { certificate in
        defer { isLeaf = false }
        return isLeaf
          ? SSL_CTX_use_certificate(context, certificate) == 1
          : gh_SSL_CTX_add1_chain_cert(context, certificate) == 1
      }
      return isGood && !isLeaf
    }
  }

  private func use(privateKey: [UInt8]) throws(TLSFault) {
    try Self.attempt(.privateKey) {
      PEM.withPrivateKey(privateKey) {
        SSL_CTX_use_PrivateKey(context, $0) == 1 && SSL_CTX_check_private_key(context) == 1
      } == true
    }
  }

  /// - Parameter namingThem: whether clients are told which authorities are meant.
  private func trust(_ authorities: [UInt8], namingThem: Bool) throws(TLSFault) {
    try Self.attempt(.authorities) {
      let store = SSL_CTX_get_cert_store(context)
      var count = 0
      let isGood = PEM.forEachCertificate(in: authorities) { certificate in
        count += 1
        return X509_STORE_add_cert(store, certificate) == 1
          && (!namingThem || SSL_CTX_add_client_CA(context, certificate) == 1)
      }
      return isGood && count > 0
    }
  }

  /// What others left in OpenSSL's queue is not this step's fault, and what this one leaves is not the next one's.
  private static func attempt(_ part: TLSFault.Part, _ step: () -> Bool) throws(TLSFault) {
    ERR_clear_error()
    guard step() else { throw fault(part) }
    ERR_clear_error()
  }

  private static func fault(_ part: TLSFault.Part) -> TLSFault { TLSFault(part: part, reason: lastError()) }

  /// The oldest error OpenSSL has queued on this thread, in its words; the queue is cleared.
  package static func lastError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return "unknown error" }
    if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
    return "error \(code)"
  }
}

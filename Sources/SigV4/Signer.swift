package import OpenSSLCrypto
package import Primitives

/// What of an outbound request is signed. The bytes are those that go on the wire.
package struct OutboundRequest: ~Escapable {
  package let method: Span<UInt8>
  package let path: Span<UInt8>
  /// In canonical form, without `?`; empty when there is none.
  package let canonicalQuery: Span<UInt8>
  /// The value of the Content-Type field, if the request has one.
  package let contentType: Span<UInt8>?
  /// SHA-256 of the content.
  package let payloadHash: SHA256Digest

  @_lifetime(copy method, copy path, copy canonicalQuery, copy contentType)
  package init(
    method: Span<UInt8>, path: Span<UInt8>, canonicalQuery: Span<UInt8>, contentType: Span<UInt8>?,
    payloadHash: SHA256Digest
  ) {
    self.method = method
    self.path = path
    self.canonicalQuery = canonicalQuery
    self.contentType = contentType
    self.payloadHash = payloadHash
  }
}

/// Signs outbound requests in the header form of SigV4, for one host with one pair of keys. It signs Host, X-Amz-Date,
/// Content-Type and the session token, the last two if there are such.
package final class Signer: Sendable {
  let scope: SigningScope
  package let credentials: Credentials
  /// The value of the Host field.
  package let host: [UInt8]

  /// - Parameter host: the value of the Host field, without surrounding or doubled spaces.
  package init(_ scope: SigningScope, credentials: Credentials, host: [UInt8]) {
    self.scope = scope
    self.credentials = credentials
    self.host = host
  }

  /// Appends the field lines `X-Amz-Date`, `X-Amz-Security-Token` (if there is one) and `Authorization`, each with its
  /// CRLF. Host and Content-Type are the caller's to write.
  package func sign(
    _ request: borrowing OutboundRequest, at time: WallClockTime, workspace: inout SigningWorkspace,
    into out: inout ByteBuffer
  ) {
    workspace.sign(request, by: self, at: time, into: &out)
  }
}

package import OpenSSLCrypto
package import Primitives

/// What of an outbound request is signed. The bytes are those that go on the wire.
package struct OutboundRequest {
  package var method: ArraySlice<UInt8>
  package var path: ArraySlice<UInt8>
  /// In canonical form, without `?`; empty when there is none.
  package var canonicalQuery: ArraySlice<UInt8>
  /// The value of the Host field.
  package var host: ArraySlice<UInt8>
  package var contentType: ArraySlice<UInt8>?
  /// Further fields to sign.
  package var moreFields: [SignedField]
  package var payloadHash: SHA256Digest

  package init(
    method: ArraySlice<UInt8>, path: ArraySlice<UInt8>, canonicalQuery: ArraySlice<UInt8>,
    host: ArraySlice<UInt8>, contentType: ArraySlice<UInt8>?, moreFields: [SignedField] = [],
    payloadHash: SHA256Digest
  ) {
    self.method = method
    self.path = path
    self.canonicalQuery = canonicalQuery
    self.host = host
    self.contentType = contentType
    self.moreFields = moreFields
    self.payloadHash = payloadHash
  }
}

/// A field that the caller of the signer writes itself. Its name is in lower case and none of
/// `host`, `content-type`, `x-amz-date`, `x-amz-security-token`; a name stands once.
package struct SignedField: Sendable {
  package let name: Text
  package let value: ArraySlice<UInt8>

  package init(name: Text, value: ArraySlice<UInt8>) {
    self.name = name
    self.value = value
  }
}

/// Signs outbound requests in the header form of SigV4.
package struct Signer: Sendable {
  package let region: Text
  package let service: Text

  package init(region: Text, service: Text = "chime") {
    self.region = region
    self.service = service
  }

  /// Appends the field lines `X-Amz-Date`, `X-Amz-Security-Token` (if there is one) and
  /// `Authorization`, each with its CRLF. Host, Content-Type and `moreFields` are the caller's to write.
  package func sign(
    _ outbound: OutboundRequest, with credentials: Credentials, at time: WallClockTime,
    workspace: inout SigningWorkspace, into out: inout [UInt8]
  ) {
    let stamp = workspace.stamp(of: time)
    Self.writeCanonicalRequest(outbound, date: stamp.text, credentials: credentials, in: &workspace)
    let key = workspace.keys.signingKey(
      accessKeyId: credentials.accessKeyId, secret: credentials.secret,
      scope: CredentialScope(day: stamp.day, region: region, service: service))
    let signature = workspace.signature(date: stamp.text[...], key: key)

    out.append("X-Amz-Date: ")
    out.append(contentsOf: stamp.text)
    if let token = credentials.sessionToken {
      out.append("\r\nX-Amz-Security-Token: ")
      token.withBytes { out.append(contentsOf: $0) }
    }
    out.append("\r\nAuthorization: AWS4-HMAC-SHA256 Credential=")
    out.append(text: credentials.accessKeyId)
    out.append(UInt8(ascii: "/"))
    out.append(contentsOf: key.scopeText)
    out.append(", SignedHeaders=")
    out.append(contentsOf: workspace.signedHeaders)
    out.append(", Signature=")
    signature.appendHex(to: &out)
    out.append("\r\n")
  }

  private static func writeCanonicalRequest(
    _ outbound: OutboundRequest, date: [UInt8], credentials: Credentials,
    in workspace: inout SigningWorkspace
  ) {
    workspace.request.begin(
      method: outbound.method, path: outbound.path, query: outbound.canonicalQuery)
    workspace.signedHeaders.removeAll(keepingCapacity: true)
    var more = outbound.moreFields[...]
    if more.count > 1 { more.sort { $0.name < $1.name } }
    if let contentType = outbound.contentType {
      workspace.sign("content-type", after: &more)
      workspace.request.append(value: contentType.span)
      workspace.request.endField()
    }
    workspace.sign("host", after: &more)
    workspace.request.append(value: outbound.host.span)
    workspace.request.endField()
    workspace.sign("x-amz-date", after: &more)
    workspace.request.append(value: date.span)
    workspace.request.endField()
    if let token = credentials.sessionToken {
      workspace.sign("x-amz-security-token", after: &more)
      token.withBytes { workspace.request.append(secret: $0) }
      workspace.request.endField()
    }
    workspace.sign(rest: more)
    workspace.request.finish(
      signedHeaders: workspace.signedHeaders[...], payloadHash: outbound.payloadHash)
  }
}

extension SigningWorkspace {
  /// Opens the field `name`, after those of `more` that sort before it.
  fileprivate mutating func sign(_ name: StaticString, after more: inout ArraySlice<SignedField>) {
    while let field = more.first, Self.precedes(field.name, name) {
      sign(field)
      more.removeFirst()
    }
    list(name)
    request.beginField(name)
  }

  fileprivate mutating func sign(rest: ArraySlice<SignedField>) {
    for field in rest { sign(field) }
  }

  private mutating func sign(_ field: SignedField) {
    separateNames()
    signedHeaders.append(text: field.name)
    request.beginField(field.name.utf8.span)
    request.append(value: field.value.span)
    request.endField()
  }

  private mutating func list(_ name: StaticString) {
    separateNames()
    signedHeaders.append(name)
  }

  private mutating func separateNames() {
    if !signedHeaders.isEmpty { signedHeaders.append(UInt8(ascii: ";")) }
  }

  private static func precedes(_ name: Text, _ other: StaticString) -> Bool {
    // A static string is immortal memory; the buffer only reads it.
    name.utf8.lexicographicallyPrecedes(
      UnsafeBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount))
  }
}

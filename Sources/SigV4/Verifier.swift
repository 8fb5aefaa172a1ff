package import HTTPWire
package import OpenSSLCrypto
package import Primitives

package struct VerifierSettings: Sendable {
  package let region: Text
  package let service: Text
  /// How far X-Amz-Date may be from now, either way.
  package let clockSkewNanoseconds: Int64

  package init(region: Text, service: Text = "chime", clockSkewNanoseconds: Int64) {
    self.region = region
    self.service = service
    self.clockSkewNanoseconds = clockSkewNanoseconds
  }
}

/// What the verifier has to know of an access key.
package struct VerificationKey: Sendable {
  package let id: Text
  package let secret: Secret
  /// Set: the request must bear this token, signed.
  package let sessionToken: Secret?
  package let isRevoked: Bool
  /// The key is good until then.
  package let notAfter: WallClockTime?

  package init(
    id: Text, secret: Secret, sessionToken: Secret? = nil, isRevoked: Bool = false,
    notAfter: WallClockTime? = nil
  ) {
    self.id = id
    self.secret = secret
    self.sessionToken = sessionToken
    self.isRevoked = isRevoked
    self.notAfter = notAfter
  }
}

/// A caller whose signature is good. Only the verifier makes one.
package struct AuthenticatedCaller: Sendable {
  package let accessKeyId: Text
  /// Equal for a request that is sent again unchanged.
  package let signature: SHA256Digest
  /// SHA-256 of the body, to sign with when the body goes on unchanged.
  package let payloadHash: SHA256Digest
  fileprivate let signedNames: FieldNameSet

  /// Whether the field is present and covered by the signature. For names that `FieldName` knows
  /// one by one; for a prefix it says whether any such field is.
  package func isSigned(_ name: FieldName) -> Bool { signedNames.contains(name) }
}

/// Verifies the header form of SigV4 (contract section 6, "Caller's SigV4").
package struct Verifier: Sendable {
  package let settings: VerifierSettings

  package init(_ settings: VerifierSettings) { self.settings = settings }

  /// - Parameters:
  ///   - canonicalQuery: `head`'s query in canonical form (`CanonicalQuery`).
  ///   - lookup: the access key of that id.
  /// The body is hashed only after everything cheaper has been found good.
  package func verify(
    _ head: RequestHead, canonicalQuery: [UInt8], body: ArraySlice<UInt8>, now: WallClockTime,
    workspace: inout SigningWorkspace, lookup: (Text) -> VerificationKey?
  ) throws(AuthenticationFailure) -> AuthenticatedCaller {
    let parts = try SignedParts(head)
    let authorization = parts.authorization
    let day = try checkDate(parts, now: now)
    try checkScope(authorization, date: parts.date, of: head.bytes.span)
    let accessKeyId = Text(uncheckedUTF8: Array(head.bytes[authorization.accessKeyId]))
    let key = try usableKey(accessKeyId, parts: parts, of: head.bytes, now: now, lookup: lookup)

    workspace.request.begin(
      method: head.bytes[head.method], path: head.bytes[head.path], query: canonicalQuery[...])
    let signedNames = try Self.appendSignedFields(
      authorization.signedHeaders, of: head, to: &workspace.request)
    try Self.checkCoverage(authorization.signedHeaders, signed: signedNames, of: head)
    let payloadHash = SHA256.digest(body)
    try Self.check(parts.contentSHA256, against: payloadHash, of: head.bytes)
    workspace.request.finish(
      signedHeaders: head.bytes[authorization.signedHeaders.range], payloadHash: payloadHash)

    let signingKey = workspace.keys.signingKey(
      accessKeyId: key.id, secret: key.secret,
      scope: CredentialScope(day: day, region: settings.region, service: settings.service))
    let expected = workspace.signature(date: head.bytes[parts.date], key: signingKey)
    guard let given = SHA256Digest(lowercaseHex: head.bytes[authorization.signature]),
      constantTimeEqual(expected, given)
    else { throw .invalid(.mismatch) }
    return AuthenticatedCaller(
      accessKeyId: key.id, signature: given, payloadHash: payloadHash, signedNames: signedNames)
  }

  /// The access key that a request claims, unproven, for the record of its refusal.
  package static func claimedAccessKeyId(_ head: RequestHead) -> Text? {
    guard let line = head.fields.first(where: { $0.known == .authorization }),
      let field = try? AuthorizationField(reading: line.value.range, of: head.bytes.span)
    else { return nil }
    return Text(uncheckedUTF8: Array(head.bytes[field.accessKeyId]))
  }
}

// The checks, in the order they are made.
extension Verifier {
  /// The day of X-Amz-Date, which is within the skew.
  private func checkDate(
    _ parts: SignedParts, now: WallClockTime
  ) throws(AuthenticationFailure) -> Int {
    let age = now.nanoseconds(since: parts.time)
    guard age <= settings.clockSkewNanoseconds else { throw .invalid(.dateTooOld) }
    guard age >= -settings.clockSkewNanoseconds else { throw .invalid(.dateInFuture) }
    return CivilDate(parts.time).scopeDay
  }

  private func checkScope(
    _ authorization: AuthorizationField, date: Range<Int>, of bytes: Span<UInt8>
  ) throws(AuthenticationFailure) {
    let (text, terminator) = (authorization.scopeDate, authorization.scopeTerminator)
    guard text.count == 8 else { throw .invalid(.scopeDate) }
    for offset in 0..<8 where bytes[text.lowerBound + offset] != bytes[date.lowerBound + offset] {
      throw .invalid(.scopeDate)
    }
    guard bytes.holds(settings.region.utf8, at: authorization.scopeRegion) else {
      throw .invalid(.scopeRegion)
    }
    guard bytes.holds(settings.service.utf8, at: authorization.scopeService) else {
      throw .invalid(.scopeService)
    }
    guard terminator.count == 12, bytes.has("aws4_request", in: terminator) else {
      throw .invalid(.scopeTerminator)
    }
  }

  /// The key behind the request: known, not revoked, with the token that belongs to it, not past its end.
  private func usableKey(
    _ id: Text, parts: SignedParts, of bytes: [UInt8], now: WallClockTime,
    lookup: (Text) -> VerificationKey?
  ) throws(AuthenticationFailure) -> VerificationKey {
    guard let key = lookup(id) else { throw .unrecognized(.unknown) }
    guard !key.isRevoked else { throw .unrecognized(.revoked) }
    switch (key.sessionToken, parts.securityToken) {
    case (nil, nil): break
    case (nil, _?): throw .unrecognized(.unexpectedToken)
    case (_?, nil): throw .unrecognized(.missingToken)
    case (let expected?, let given?):
      guard Secret.constantTimeEqual(expected, Array(bytes[given])) else {
        throw .unrecognized(.wrongToken)
      }
    }
    if let end = key.notAfter, now > end {
      throw key.sessionToken == nil ? .unrecognized(.expired) : .expiredToken
    }
    return key
  }

  /// Writes each listed field into the canonical request; all of them must be there.
  private static func appendSignedFields(
    _ list: SignedHeaderList, of head: RequestHead, to request: inout CanonicalRequest
  ) throws(AuthenticationFailure) -> FieldNameSet {
    let bytes = head.bytes.span
    let fields = head.fields.span
    var signed = FieldNameSet()
    var names = list.names
    while let name = names.next(in: bytes) {
      var isFirst = true
      for index in fields.indices
      where FieldMatching.isSame(listed: name, fields[index].name.range, in: bytes) {
        if isFirst {
          request.beginField(bytes.extracting(name))
        } else {
          request.separateValues()
        }
        isFirst = false
        request.append(value: bytes.extracting(fields[index].value.range))
        signed.insert(fields[index].known)
      }
      guard !isFirst else {
        throw .incomplete(.listedFieldAbsent(Text(uncheckedUTF8: Array(head.bytes[name]))))
      }
      request.endField()
    }
    return signed
  }

  /// `host` and every `x-amz-*` field must be signed.
  private static func checkCoverage(
    _ list: SignedHeaderList, signed: FieldNameSet, of head: RequestHead
  ) throws(AuthenticationFailure) {
    guard signed.contains(.host) else { throw .incomplete(.hostNotSigned) }
    for field in head.fields {
      switch field.known {
      case .amzDate, .amzSecurityToken, .amzContentSHA256, .xAmzPrefix:
        guard list.contains(field.name.range, of: head.bytes.span) else {
          throw .invalid(.fieldNotSigned(Text(uncheckedUTF8: Array(head.bytes[field.name]))))
        }
      default: break
      }
    }
  }

  private static func check(
    _ claimed: Range<Int>?, against payloadHash: SHA256Digest, of bytes: [UInt8]
  ) throws(AuthenticationFailure) {
    guard let claimed else { return }
    guard let hash = SHA256Digest(lowercaseHex: bytes[claimed]) else {
      let isHash = claimed.count == 64
      throw .invalid(isHash ? .payloadHashMismatch : .payloadNotSigned)
    }
    guard hash == payloadHash else { throw .invalid(.payloadHashMismatch) }
  }
}

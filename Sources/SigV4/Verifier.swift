package import HTTPWire
package import OpenSSLCrypto
package import Primitives

package struct VerifierSettings: Sendable {
  /// The regions that are served. A caller's signature is good in any of them.
  package let scopes: PerRegion<SigningScope>
  /// How far X-Amz-Date may be from now, either way.
  package let clockSkewNanoseconds: Int64

  package init(scopes: PerRegion<SigningScope>, clockSkewNanoseconds: Int64) {
    self.scopes = scopes
    self.clockSkewNanoseconds = clockSkewNanoseconds
  }
}

/// A caller whose signature is good. Only the verifier makes one.
package struct AuthenticatedCaller: Sendable {
  package let key: VerificationKey
  /// Equal for a request that is sent again unchanged.
  package let signature: SHA256Digest
  /// SHA-256 of the body, to sign with when the body goes on unchanged.
  package let payloadHash: SHA256Digest
  /// The place of the scope's region among those that are served.
  package let region: Int
  fileprivate let signedNames: FieldNameSet

  /// Whether the field is present and covered by the signature. For names that `FieldName` knows
  /// one by one; for a prefix it says whether any such field is.
  package func isSigned(_ name: FieldName) -> Bool { signedNames.contains(name) }
}

/// Verifies the header form of SigV4: `host` and each `x-amz-*` field must be signed, the scope be one of the
/// settings, and X-Amz-Content-Sha256, if it is there, be the hash of the body.
package final class Verifier: Sendable {
  private let settings: VerifierSettings

  package init(_ settings: VerifierSettings) { self.settings = settings }

  /// - Parameters:
  ///   - canonicalQuery: `head`'s query in canonical form (`CanonicalQuery`).
  ///   - keys: those of all callers.
  /// The body is hashed only after everything cheaper has been found good.
  package func verify(
    _ head: RequestHead, canonicalQuery: Span<UInt8>, body: Span<UInt8>, now: WallClockTime,
    keys: AccessKeyTable, workspace: inout SigningWorkspace
  ) throws(AuthenticationFailure) -> AuthenticatedCaller {
    let bytes = head.span
    let parts = try SignedParts(head, dates: &workspace.dates)
    let authorization = parts.authorization
    try checkDate(parts.time, now: now)
    let region = try region(of: authorization, date: parts.date, in: bytes)
    let key = try usableKey(parts, of: bytes, now: now, keys: keys)

    workspace.scratch.request.begin(
      method: bytes[head.method], path: bytes[head.path], query: canonicalQuery)
    let signedNames = try Self.appendSignedFields(
      authorization.signedHeaders, of: head, to: &workspace.scratch.request)
    try Self.checkCoverage(authorization.signedHeaders, signed: signedNames, of: head)
    let payloadHash = SHA256.digest(body)
    try Self.check(parts.contentSHA256, against: payloadHash, of: bytes)
    workspace.scratch.request.finish(
      signedHeaders: bytes.extracting(authorization.signedHeaders.range), payloadHash: payloadHash)

    let signingKey = settings.scopes.with(region: region) {
      workspace.signingKey(of: key.secret, in: $0, day: parts.day)
    }
    let expected = workspace.scratch.signature(date: bytes.extracting(parts.date), key: signingKey)
    guard expected.isWritten(as: bytes.extracting(authorization.signature)) else {
      throw .invalid(.mismatch)
    }
    return AuthenticatedCaller(
      key: key, signature: expected, payloadHash: payloadHash, region: region, signedNames: signedNames)
  }

  /// What is judged of a request whose body is not here: everything but the hashes. Of one that passes the caller is not
  /// known yet.
  package func check(
    _ head: RequestHead, now: WallClockTime, keys: AccessKeyTable, workspace: inout SigningWorkspace
  ) throws(AuthenticationFailure) {
    let bytes = head.span
    let parts = try SignedParts(head, dates: &workspace.dates)
    try checkDate(parts.time, now: now)
    _ = try region(of: parts.authorization, date: parts.date, in: bytes)
    _ = try usableKey(parts, of: bytes, now: now, keys: keys)
    workspace.scratch.request.begin(method: bytes[head.method], path: bytes[head.path], query: Span())
    let signedNames = try Self.appendSignedFields(
      parts.authorization.signedHeaders, of: head, to: &workspace.scratch.request)
    try Self.checkCoverage(parts.authorization.signedHeaders, signed: signedNames, of: head)
    if let claimed = parts.contentSHA256, claimed.count != 64 { throw .invalid(.payloadNotSigned) }
  }

  /// The access key that a request claims, unproven, for the record of its refusal.
  package static func claimedAccessKeyId(_ head: RequestHead) -> Text? {
    guard let value = head.first(.authorization),
      let field = try? AuthorizationField(reading: value.range, of: head.span)
    else { return nil }
    return Text(uncheckedUTF8: Array(head.bytes[field.accessKeyId]))
  }
}

// The checks, in the order they are made.
extension Verifier {
  /// X-Amz-Date is within the skew.
  private func checkDate(_ time: WallClockTime, now: WallClockTime) throws(AuthenticationFailure) {
    let age = now.nanoseconds(since: time)
    guard age <= settings.clockSkewNanoseconds else { throw .invalid(.dateTooOld) }
    guard age >= -settings.clockSkewNanoseconds else { throw .invalid(.dateInFuture) }
  }

  /// The scope is one of the settings', on the day of X-Amz-Date.
  private func region(
    of authorization: AuthorizationField, date: Range<Int>, in bytes: Span<UInt8>
  ) throws(AuthenticationFailure) -> Int {
    guard bytes.extracting(authorization.scopeDate).holds(bytes.extracting(date.prefix(8))) else {
      throw .invalid(.scopeDate)
    }
    let region = try region(named: bytes.extracting(authorization.scopeRegion))
    guard bytes.extracting(authorization.scopeService).holds(settings.scopes.first.service) else {
      throw .invalid(.scopeService)
    }
    let terminator = authorization.scopeTerminator
    guard terminator.count == 12, bytes.has("aws4_request", in: terminator) else {
      throw .invalid(.scopeTerminator)
    }
    return region
  }

  private func region(named name: Span<UInt8>) throws(AuthenticationFailure) -> Int {
    if name.holds(settings.scopes.first.region) { return 0 }
    return try otherRegion(named: name)
  }

  @inline(never)
  private func otherRegion(named name: Span<UInt8>) throws(AuthenticationFailure) -> Int {
    let scopes = settings.scopes
    for place in scopes.others.indices where name.holds(scopes.others[place].region) { return place + 1 }
    throw .invalid(.scopeRegion(accepted: scopes.all.map(\.region)))
  }

  /// The key behind the request: known, not revoked, with the token that belongs to it, not past its end.
  private func usableKey(
    _ parts: SignedParts, of bytes: Span<UInt8>, now: WallClockTime, keys: AccessKeyTable
  ) throws(AuthenticationFailure) -> VerificationKey {
    guard let key = keys.key(bytes.extracting(parts.authorization.accessKeyId)) else {
      throw .unrecognized(.unknown)
    }
    guard !key.isRevoked else { throw .unrecognized(.revoked) }
    switch (key.sessionToken, parts.securityToken) {
    case (nil, nil): break
    case (nil, _?): throw .unrecognized(.unexpectedToken)
    case (_?, nil): throw .unrecognized(.missingToken)
    case (let expected?, let given?):
      guard Secret.constantTimeEqual(expected, bytes.extracting(given)) else {
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
    let bytes = head.span
    let fields = head.fields
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
    let fields = head.fields
    for index in fields.indices {
      let field = fields[index]
      let isListed: Bool
      switch field.known {
      case .amzDate, .amzSecurityToken, .amzContentSHA256: isListed = signed.contains(field.known)
      // A name of its own behind the common prefix: the set cannot tell them apart.
      case .xAmzPrefix: isListed = list.contains(field.name.range, of: head.span)
      default: continue
      }
      guard isListed else {
        throw .invalid(.fieldNotSigned(Text(uncheckedUTF8: Array(head.bytes[field.name]))))
      }
    }
  }

  private static func check(
    _ claimed: Range<Int>?, against payloadHash: SHA256Digest, of bytes: Span<UInt8>
  ) throws(AuthenticationFailure) {
    guard let claimed, !payloadHash.isWritten(as: bytes.extracting(claimed)) else { return }
    throw .invalid(claimed.count == 64 ? .payloadHashMismatch : .payloadNotSigned)
  }
}

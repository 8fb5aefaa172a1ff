package import Primitives

/// Why a request is not authenticated. Each case is one fact; the gateway's table of refusals gives
/// it status, error type and wording. None carries the expected signature, the canonical request or
/// anything derived from a secret.
package enum AuthenticationFailure: Error, Hashable, Sendable {
  /// No Authorization header. A presigned query is no substitute for it.
  case missingAuthorization
  /// Something the signature cannot be judged without is absent or unreadable.
  case incomplete(IncompleteSignature)
  /// No caller stands behind the access key (or its session token).
  case unrecognized(UnrecognizedKey)
  /// The key bears a session token, the request bore it too, and both are past their end.
  case expiredToken
  /// Everything is there to be judged, and the judgement is no.
  case invalid(InvalidSignature)
}

package enum IncompleteSignature: Error, Hashable, Sendable {
  /// The Authorization header does not begin with `AWS4-HMAC-SHA256` and a space.
  case otherAlgorithm
  /// A parameter of the Authorization header is not there.
  case parameterMissing(AuthorizationParameter)
  /// A parameter is there but not in its form, or there twice.
  case parameterMalformed(AuthorizationParameter)
  /// The Authorization header holds something that is none of its three parameters.
  case unknownParameter
  /// A field that may stand once stands twice.
  case fieldGivenTwice(SingleField)
  case dateMissing
  /// X-Amz-Date is not a real time written `YYYYMMDDTHHMMSSZ`.
  case dateMalformed
  /// `host` is not among SignedHeaders.
  case hostNotSigned
  /// SignedHeaders lists a field that the request does not have.
  case listedFieldAbsent(Text)
}

package enum AuthorizationParameter: String, Hashable, Sendable {
  case credential = "Credential"
  case signedHeaders = "SignedHeaders"
  case signature = "Signature"
}

/// The fields that the verifier reads and that therefore may not stand twice.
package enum SingleField: String, Hashable, Sendable {
  case authorization = "Authorization"
  case host = "Host"
  case date = "X-Amz-Date"
  case securityToken = "X-Amz-Security-Token"
  case contentSHA256 = "X-Amz-Content-Sha256"
}

package enum UnrecognizedKey: Hashable, Sendable {
  case unknown, revoked, expired
  /// A session token came with a key that has none.
  case unexpectedToken
  /// The key has a session token and the request has none.
  case missingToken
  case wrongToken
}

package enum InvalidSignature: Hashable, Sendable {
  case mismatch
  /// X-Amz-Date is further in the past than the allowed skew.
  case dateTooOld
  /// X-Amz-Date is further in the future than the allowed skew.
  case dateInFuture
  /// The scope's date is not the day of X-Amz-Date.
  case scopeDate
  /// The scope's region is none of those.
  case scopeRegion(accepted: [Text])
  case scopeService
  /// The scope does not end in `aws4_request`.
  case scopeTerminator
  /// X-Amz-Content-Sha256 is not the hash of the body.
  case payloadHashMismatch
  /// X-Amz-Content-Sha256 says that the body is not signed, or signed in chunks.
  case payloadNotSigned
  /// An `x-amz-*` field that SignedHeaders does not list.
  case fieldNotSigned(Text)
}

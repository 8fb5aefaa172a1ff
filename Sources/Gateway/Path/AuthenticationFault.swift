internal import SigV4

extension Refusal {
  /// Why nobody known stands behind a request, as metrics name it; `nil`: that is not why it was refused.
  var authenticationFault: StaticText? {
    switch self {
    case .unauthenticated(let failure): failure.label
    case .certificateMissing: "certificate_missing"
    case .certificateOfAnother: "certificate_of_another"
    default: nil
    }
  }
}

extension AuthenticationFailure {
  fileprivate var label: StaticText {
    switch self {
    case .missingAuthorization: "missing_authorization"
    case .incomplete: "incomplete_signature"
    case .unrecognized(let key): key.label
    case .expiredToken: "token_expired"
    case .invalid(let reason): reason.label
    }
  }
}

extension UnrecognizedKey {
  fileprivate var label: StaticText {
    switch self {
    case .unknown: "key_unknown"
    case .revoked: "key_revoked"
    case .expired: "key_expired"
    case .unexpectedToken: "token_unexpected"
    case .missingToken: "token_missing"
    case .wrongToken: "token_wrong"
    }
  }
}

extension InvalidSignature {
  fileprivate var label: StaticText {
    switch self {
    case .mismatch: "signature_mismatch"
    case .dateTooOld: "date_too_old"
    case .dateInFuture: "date_in_future"
    case .scopeDate, .scopeRegion, .scopeService, .scopeTerminator: "wrong_scope"
    case .payloadHashMismatch: "payload_hash_mismatch"
    case .payloadNotSigned: "payload_not_signed"
    case .fieldNotSigned: "header_not_signed"
    }
  }
}

internal import Primitives
internal import StrictJSON

/// The errors that the service and AWS's front ends answer with, as SDKs read them (REST-JSON: the type in the
/// header `x-amzn-ErrorType`, the rest in the body).
package enum ServiceError: Sendable, Hashable, CaseIterable {
  // In the service model.
  case badRequest
  case conflict
  case forbidden
  case notFound
  case resourceLimitExceeded
  case serviceFailure
  case serviceUnavailable
  case throttledClient
  case unauthorizedClient
  // Of AWS's front ends, before a request reaches the service.
  case missingAuthenticationToken
  case incompleteSignature
  case unrecognizedClient
  case invalidSignature
  case expiredToken
  case unknownOperation

  /// The value of `x-amzn-ErrorType`.
  package var typeName: StaticString {
    switch self {
    case .badRequest: "BadRequestException"
    case .conflict: "ConflictException"
    case .forbidden: "ForbiddenException"
    case .notFound: "NotFoundException"
    case .resourceLimitExceeded: "ResourceLimitExceededException"
    case .serviceFailure: "ServiceFailureException"
    case .serviceUnavailable: "ServiceUnavailableException"
    case .throttledClient: "ThrottledClientException"
    case .unauthorizedClient: "UnauthorizedClientException"
    case .missingAuthenticationToken: "MissingAuthenticationTokenException"
    case .incompleteSignature: "IncompleteSignatureException"
    case .unrecognizedClient: "UnrecognizedClientException"
    case .invalidSignature: "InvalidSignatureException"
    case .expiredToken: "ExpiredTokenException"
    case .unknownOperation: "UnknownOperationException"
    }
  }

  /// The error whose type has this name.
  package init?(named name: String) {
    let found = Self.allCases.first { error in
      error.typeName.withUTF8Buffer { name.utf8.elementsEqual($0) }
    }
    guard let found else { return nil }
    self = found
  }

  package var status: Int {
    switch self {
    case .badRequest, .resourceLimitExceeded: 400
    case .unauthorizedClient: 401
    case .forbidden, .missingAuthenticationToken, .incompleteSignature, .unrecognizedClient,
      .invalidSignature,
      .expiredToken:
      403
    case .notFound, .unknownOperation: 404
    case .conflict: 409
    case .throttledClient: 429
    case .serviceFailure: 500
    case .serviceUnavailable: 503
    }
  }

  /// The member `Code` of the service model's errors, in its plain form (`ForbiddenException` also carries
  /// `AccessDenied`); `nil` for errors that have none.
  package var code: ErrorCode? {
    switch self {
    case .badRequest: .badRequest
    case .conflict: .conflict
    case .forbidden: .forbidden
    case .notFound: .notFound
    case .resourceLimitExceeded: .resourceLimitExceeded
    case .serviceFailure: .serviceFailure
    case .serviceUnavailable: .serviceUnavailable
    case .throttledClient: .throttled
    case .unauthorizedClient: .unauthorized
    case .missingAuthenticationToken, .incompleteSignature, .unrecognizedClient, .invalidSignature,
      .expiredToken,
      .unknownOperation:
      nil
    }
  }
}

/// The values of `Code` that are in use here, as the service model writes them.
package enum ErrorCode: String, Sendable, Hashable {
  case accessDenied = "AccessDenied"
  case badRequest = "BadRequest"
  case conflict = "Conflict"
  case forbidden = "Forbidden"
  case notFound = "NotFound"
  case resourceLimitExceeded = "ResourceLimitExceeded"
  case serviceFailure = "ServiceFailure"
  case serviceUnavailable = "ServiceUnavailable"
  case throttled = "Throttled"
  case unauthorized = "Unauthorized"
}

/// The JSON body of an error answer.
package enum ErrorBody {
  /// Appends `{"Code":…,"Message":…}`, or without a code `{"message":…,"Message":…}`: front ends write the first
  /// spelling, the service the second, and clients differ in which one they read.
  package static func write(code: ErrorCode?, message: String, into out: inout [UInt8]) {
    var writer = JSONWriter()
    writer.beginObject()
    if let code {
      writer.key("Code")
      writer.string(code.rawValue)
    } else {
      writer.key("message")
      writer.string(message)
    }
    writer.key("Message")
    writer.string(message)
    writer.endObject()
    out.append(contentsOf: writer.bytes)
  }
}

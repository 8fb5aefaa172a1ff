internal import HTTPWire
internal import Primitives

/// What upstream answered, as far as it is passed on. Kept for repeats of the same request.
struct UpstreamAnswer: Sendable {
  let status: Int
  /// Whole field lines: Content-Type, Retry-After and `x-amzn-*`.
  let fieldLines: [UInt8]
  let body: [UInt8]
  let requestId: Text?
  let errorType: Text?

  init(_ message: ResponseMessage) {
    let head = message.head
    status = head.status
    body = message.bodyArray
    var lines = ByteBuffer()
    var requestId: Text?
    var errorType: Text?
    for field in head.fields {
      switch field.known {
      case .amznRequestId, .amznErrorType, .xAmznPrefix, .amzTraceId, .contentType, .retryAfter:
        lines.append(field, of: head)
        if field.known == .amznRequestId {
          requestId = Text(validating: head.bytes[field.value])
        } else if field.known == .amznErrorType {
          errorType = Text(validating: head.bytes[field.value])
        }
      default: break
      }
    }
    fieldLines = lines.array
    self.requestId = requestId
    self.errorType = errorType
  }
}

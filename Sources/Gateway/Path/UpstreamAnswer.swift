internal import HTTPWire
internal import Primitives

/// What upstream answered, in the bytes that it came in. Kept for repeats of the same request.
final class UpstreamAnswer: Sendable {
  /// The gateway's id of the request that got it.
  let answered: RequestID
  let message: ResponseMessage
  /// Upstream's own id of the request, in the message's bytes.
  let requestId: ByteSlice?
  /// Of an error that upstream answered, in the message's bytes.
  let errorType: ByteSlice?

  init(_ message: ResponseMessage, to answered: RequestID) {
    self.answered = answered
    self.message = message
    let head = message.head
    requestId = Self.text(head.first(.amznRequestId), of: head)
    errorType = Self.text(head.first(.amznErrorType), of: head)
  }

  /// The journal's text is UTF-8; a value that is not is left out of it.
  private static func text(_ value: ByteSlice?, of head: ResponseHead) -> ByteSlice? {
    guard let value, head[value].isUTF8 else { return nil }
    return value
  }

  var status: Int { message.head.status }

  /// Appends the field lines that are passed on: Content-Type, Retry-After and `x-amzn-*`.
  func appendFieldLines(to out: inout ByteBuffer) {
    let head = message.head
    let fields = head.fields
    for index in fields.indices {
      switch fields[index].known {
      case .amznRequestId, .amznErrorType, .xAmznPrefix, .amzTraceId, .contentType, .retryAfter:
        out.append(fields[index], of: head)
      default: break
      }
    }
  }
}

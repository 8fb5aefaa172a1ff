internal import HTTPWire
package import Primitives

/// An answer whose body is written as it comes and ends with the connection. A handler that begins one writes all of it
/// before it returns; what it returns then is not sent.
package struct AnswerStream: ~Copyable {
  private let connection: ByteStream

  /// Nanoseconds that the other end has for taking what is written; longer than any network holds it up.
  private static let patience: Int64 = 10_000_000_000

  /// Writes the head.
  /// - Parameter fieldLines: whole lines, each with its CRLF.
  package init(
    status: Int, fieldLines: borrowing ByteBuffer, on connection: ByteStream
  ) async throws(TransportError) {
    self.connection = connection
    connection.isAnswered = true
    var head = connection.loop.takeBuffer()
    connection.loop.appendAnswerStart(status: status, keepAlive: false, to: &head)
    head.append(fieldLines.span)
    head.append("\r\n")
    try await write(head)
    connection.loop.giveBack(head)
  }

  /// Returns when all of it is on its way.
  /// - Throws: also when the other end does not take it in time.
  package func write(_ bytes: borrowing ByteBuffer) async throws(TransportError) {
    connection.deadline = connection.loop.now + Self.patience
    try await connection.write(bytes)
    connection.deadline = .max
  }

  /// Whether the other end is there, as far as is known.
  package var isRead: Bool { connection.checkIdle() }
}

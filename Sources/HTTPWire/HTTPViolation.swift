/// Why a message was refused. After one of these the connection's framing is unknown: answer and close.
package enum HTTPViolation: Error, BitwiseCopyable, Hashable, Sendable {
  // Lines (RFC 9112 section 2.2)
  case bareCR
  case bareLF
  case controlByte(UInt8)

  // Request line (section 3)
  case malformedRequestLine
  case badMethod
  /// The first byte is that of a TLS record.
  case tlsHandshake
  case unsupportedVersion
  case targetNotOriginForm
  case badTargetByte(UInt8)
  case targetNotNormal(TargetFault)

  // Field lines (section 5)
  case obsFold
  case missingColon
  case emptyFieldName
  case spaceBeforeColon
  case badFieldName
  case missingHost
  case duplicateHost
  case badHost
  case unsupportedExpectation

  // Framing (sections 6 and 7)
  case badContentLength
  case conflictingLength
  case contentLengthWithTransferEncoding
  case unsupportedTransferEncoding
  case transferEncodingInHTTP10
  case badChunkSize
  case badChunkExtension
  case badChunkEnd
  case forbiddenTrailer

  // Limits
  case headTooLarge
  case trailersTooLarge
  case bodyTooLarge

  // Answers only (section 4)
  case malformedStatusLine
  case badStatusCode
  case unexpectedBody
  case unexpectedUpgrade
  case tooManyInterimAnswers
  case truncated

  /// How a path is not in normal form (RFC 3986 section 6.2.2).
  package enum TargetFault: BitwiseCopyable, Hashable, Sendable {
    case emptySegment
    case dotSegment
    case malformedPercentEncoding
    case doublePercentEncoding
    case encodedControl
  }

  /// What the caller is told.
  package enum Kind: Hashable, Sendable {
    /// 400
    case badRequest
    /// 431
    case headerTooLarge
    /// 413
    case bodyTooLarge
  }

  package var status: Kind {
    switch self {
    case .headTooLarge, .trailersTooLarge: .headerTooLarge
    case .bodyTooLarge: .bodyTooLarge
    default: .badRequest
    }
  }
}

extension HTTPViolation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .bareCR: "a carriage return without a line feed"
    case .bareLF: "a line feed without a carriage return"
    case .controlByte(let byte): "control byte 0x\(Self.hex(byte)) in the head"
    case .malformedRequestLine: "the request line is not `method target HTTP/1.1` with single spaces"
    case .badMethod: "the method is not a token"
    case .tlsHandshake: "a TLS handshake, where this listener speaks plain HTTP"
    case .unsupportedVersion: "only HTTP/1.1 and HTTP/1.0 are spoken here"
    case .targetNotOriginForm: "the request target must be a path that begins with `/`"
    case .badTargetByte(let byte): "byte 0x\(Self.hex(byte)) must be percent-encoded in a request target"
    case .targetNotNormal(let fault): "the path is not in normal form: \(fault)"
    case .obsFold: "a header line begins with a space or a tab (obsolete line folding)"
    case .missingColon: "a header line has no colon"
    case .emptyFieldName: "a header line has no name"
    case .spaceBeforeColon: "whitespace between a header's name and its colon"
    case .badFieldName: "a header's name is not a token"
    case .missingHost: "the Host header is missing"
    case .duplicateHost: "more than one Host header"
    case .badHost: "the Host header is not `host` or `host:port`"
    case .unsupportedExpectation: "the only expectation met here is `100-continue`"
    case .badContentLength: "Content-Length is not a plain decimal number"
    case .conflictingLength: "more than one Content-Length header"
    case .contentLengthWithTransferEncoding: "both Content-Length and Transfer-Encoding"
    case .unsupportedTransferEncoding: "the only transfer coding accepted is one `chunked`"
    case .transferEncodingInHTTP10: "Transfer-Encoding in an HTTP/1.0 message"
    case .badChunkSize: "a chunk's size is not a plain hexadecimal number"
    case .badChunkExtension: "a chunk extension is malformed"
    case .badChunkEnd: "a chunk's data is not followed by a line end"
    case .forbiddenTrailer: "a framing header among the trailers"
    case .headTooLarge: "the request line and headers are larger than the limit"
    case .trailersTooLarge: "chunk extensions and trailers are larger than the limit"
    case .bodyTooLarge: "the body is larger than the limit"
    case .malformedStatusLine: "the status line is malformed"
    case .badStatusCode: "the status code is not between 100 and 599"
    case .unexpectedBody: "a body announced by an answer that cannot have one"
    case .unexpectedUpgrade: "the protocol was switched without being asked"
    case .tooManyInterimAnswers: "too many interim answers"
    case .truncated: "the connection ended in the middle of the message"
    }
  }

  private static func hex(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }
}

extension HTTPViolation.TargetFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .emptySegment: "it holds `//`"
    case .dotSegment: "it holds a `.` or `..` segment"
    case .malformedPercentEncoding: "a `%` is not followed by two hexadecimal digits"
    case .doublePercentEncoding: "it is percent-encoded twice"
    case .encodedControl: "it holds an encoded NUL, CR or LF"
    }
  }
}

internal import HTTPWire
internal import Primitives
internal import TestSupport

/// Small, so that the bounds are reached.
private let limits = HTTPLimits(headerBytes: 512, bodyBytes: 64)

func checkRequests(_ bytes: [UInt8]) throws(Disagreement) {
  let whole = readRequests(bytes, limits: limits)
  for cuts in cuts(of: bytes) {
    let pieces = readRequests(bytes, cuts: cuts, limits: limits)
    try expect(pieces == whole, "cut at \(cuts): \(pieces); whole: \(whole)")
  }
  for message in whole.messages {
    try checkFields(message.fields, of: message.head)
    try checkTarget(of: message)
    try checkRewritten(message)
  }
}

func checkResponses(_ bytes: [UInt8]) throws(Disagreement) {
  for toHEAD in [false, true] {
    let whole = readResponses(bytes, toHEAD: toHEAD, limits: limits)
    for cuts in cuts(of: bytes) {
      let pieces = readResponses(bytes, cuts: cuts, toHEAD: toHEAD, limits: limits)
      try expect(pieces == whole, "cut at \(cuts): \(pieces); whole: \(whole)")
    }
    for message in whole.messages {
      try checkFields(message.fields, of: message.head)
      try expect((200...999).contains(message.status), "status \(message.status)")
      try expect(!toHEAD || message.body.isEmpty, "an answer to HEAD with content")
      try expect(message.body.count <= limits.bodyBytes, "\(message.body.count) bytes of content")
    }
  }
}

/// Byte by byte, and once in two, at a place that depends on the bytes.
private func cuts(of bytes: [UInt8]) -> [[Int]] {
  guard bytes.count > 1 else { return [] }
  let sum = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFFFF }
  return [Array(1..<bytes.count), [1 + sum % (bytes.count - 1)]]
}

/// Names are tokens, values begin and end with what is visible, and no line hides in another.
private func checkFields(_ fields: [FieldLine], of head: [UInt8]) throws(Disagreement) {
  for field in fields {
    let (name, value) = (head[field.name], head[field.value])
    try expect(
      !name.isEmpty && name.allSatisfy { isTokenByte($0) }, "the field name \(shown(name))")
    try expect(
      value.allSatisfy { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F },
      "a control in the field value \(shown(value))")
    for end in [value.first, value.last] {
      try expect(end != 0x20 && end != 0x09, "blanks around the field value `\(shown(value))`")
    }
  }
}

/// RFC 9110 section 5.6.2
private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
  default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }
}

private func checkTarget(of message: RequestReading.Message) throws(Disagreement) {
  let path = message.head[message.path]
  try expect(path.first == UInt8(ascii: "/"), "the path \(shown(path))")
  let target = path + (message.query.map { message.head[$0] } ?? [])
  try expect(target.allSatisfy { (0x21...0x7E).contains($0) }, "the target \(shown(target))")
  // Whoever decodes the path once sees neither segments that go up nor lines.
  let decoded = PercentCoding.decode(path) ?? []
  let segments = decoded.split(omittingEmptySubsequences: false) { $0 == 0x2F || $0 == 0x5C }
  try expect(
    !segments.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) },
    "the path \(shown(path))")
  try expect(
    !decoded.isEmpty && !decoded.contains { $0 == 0 || $0 == 0x0D || $0 == 0x0A }, "the path \(shown(path))")
}

/// The message as we understood it, framed by its length, is read as the same message and nothing else.
private func checkRewritten(_ message: RequestReading.Message) throws(Disagreement) {
  let head = message.head
  var rewritten = head[message.method] + [0x20] + head[message.path]
  if let query = message.query { rewritten += [0x3F] + head[query] }
  rewritten += Array(" HTTP/1.1\r\n".utf8)
  var expected: [String] = []
  for field in message.fields {
    let name = shown(head[field.name]).lowercased()
    if ["transfer-encoding", "content-length", "expect"].contains(name) { continue }
    rewritten += head[field.name] + [0x3A] + head[field.value] + [0x0D, 0x0A]
    expected.append("\(Hex.encode(Array(head[field.name]))):\(Hex.encode(Array(head[field.value])))")
  }
  if !message.fields.contains(where: { $0.known == .host }) { rewritten += Array("Host: x\r\n".utf8) }
  rewritten += Array("Content-Length: \(message.body.count)\r\n\r\n".utf8) + message.body

  let reading = readRequests(Array(rewritten))
  guard let again = reading.messages.first, reading.messages.count == 1, reading.stage == .idle else {
    throw Disagreement(description: "written anew, \(shown(rewritten)) is \(reading)")
  }
  let fields = again.fields.filter { $0.known != .contentLength }.map { field in
    "\(Hex.encode(Array(again.head[field.name]))):\(Hex.encode(Array(again.head[field.value])))"
  }
  let isSame =
    again.head[again.method] == head[message.method] && again.head[again.path] == head[message.path]
    && again.query.map { again.head[$0] } == message.query.map { head[$0] } && again.body == message.body
    && Array(fields.prefix(expected.count)) == expected
  try expect(isSame, "written anew, \(shown(rewritten)) is another request")
}

internal import HTTPWire
internal import Primitives
internal import Transport

/// What the page that asks for the token sends: `token=…`, as HTML forms encode it.
enum LoginForm {
  /// - Returns: `nil` when the body has no token, or several.
  static func token(in body: [UInt8]) -> [UInt8]? {
    let name = Array("token=".utf8)
    let values = body.split(separator: UInt8(ascii: "&")).filter { $0.starts(with: name) }
    guard values.count == 1, let value = values.first else { return nil }
    let spaced = value.dropFirst(name.count).map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
    return PercentCoding.decode(spaced)
  }
}

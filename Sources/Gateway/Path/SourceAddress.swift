internal import Configuration
internal import HTTPWire
internal import Primitives

/// Whose address a request counts for.
enum SourceAddress {
  /// The peer's, or, if the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not one. What stands
  /// further left could have been made up by whoever called the proxy.
  static func of(_ head: RequestHead?, peer: Text, trusted: [AddressBlock]) -> Text {
    guard let head, !trusted.isEmpty, isTrusted(peer, trusted) else { return peer }
    var nearest = peer
    let fields = head.fields
    for index in fields.indices.reversed() where fields[index].known == .xForwardedFor {
      for entry in head.bytes[fields[index].value].split(separator: UInt8(ascii: ",")).reversed() {
        let address = Text(uncheckedUTF8: entry.filter { $0 != 0x20 && $0 != 0x09 })
        guard let parsed = IPAddress(parsing: address.utf8) else { return nearest }
        nearest = Text(parsed.description)
        if !trusted.contains(where: { $0.contains(parsed) }) { return nearest }
      }
    }
    return nearest
  }

  private static func isTrusted(_ address: Text, _ trusted: [AddressBlock]) -> Bool {
    guard let parsed = IPAddress(parsing: address.utf8) else { return false }
    return trusted.contains { $0.contains(parsed) }
  }
}

internal import Primitives

/// Texts that are compared with, all in one buffer: an element of an array would be retained and released for each look.
struct TextPool: Sendable {
  private let bytes: [UInt8]
  private let places: [ByteSlice]

  init(_ texts: [Text]) {
    var bytes: [UInt8] = []
    places = texts.map { text in
      bytes += text.utf8
      return ByteSlice(bytes.count - text.utf8.count..<bytes.count)
    }
    self.bytes = bytes
  }

  var count: Int { places.count }

  /// Traps outside the bounds.
  @inline(__always)
  func holds(_ text: Span<UInt8>, at index: Int) -> Bool {
    let place = places[index]
    return place.count == text.count && bytes.span[place].holds(text)
  }

  /// The index of the very text; looks at one after the other.
  func index(of text: Span<UInt8>) -> Int? {
    for index in places.indices where holds(text, at: index) { return index }
    return nil
  }
}

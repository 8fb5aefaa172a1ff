internal import Primitives
internal import StrictJSON

extension ModelValidator {
  /// - Parameter list: two or more tags that are valid one by one.
  static func distinctTagKeys(_ list: JSONNode, in document: JSONDocument) throws(ModelViolation) {
    // A bit for each key's length and first byte: while no bit comes twice, no key does. What is escaped may be any.
    var seen: UInt64 = 0
    var isAnyRepeated = false
    var tags = document.elementWalk(list)
    while let tag = document.next(&tags) {
      guard let key = document.find("Key", in: tag), let plain = document.plainSpan(key), !plain.isEmpty
      else {
        isAnyRepeated = true
        break
      }
      let bit = 1 &<< (UInt64(truncatingIfNeeded: plain.count &* 5) &+ UInt64(plain[0])) as UInt64
      isAnyRepeated = isAnyRepeated || seen & bit != 0
      seen |= bit
    }
    if isAnyRepeated { try compareTagKeys(list, in: document) }
  }

  /// Every pair of them; a list has at most fifty.
  @inline(never)
  private static func compareTagKeys(_ list: JSONNode, in document: JSONDocument) throws(ModelViolation) {
    var later = 0
    var unescaped = ByteBuffer()
    var tags = document.elementWalk(list)
    while let tag = document.next(&tags) {
      unescaped.removeAll()
      if let key = document.find("Key", in: tag) { document.appendUnescaped(key, to: &unescaped) }
      var earlier = 0
      var others = document.elementWalk(list)
      while earlier < later, let other = document.next(&others) {
        if let key = document.find("Key", in: other), document.isText(key, unescaped.span) {
          throw ModelViolation(.repeatedTagKey(first: earlier), at: "[\(later)].Key")
        }
        earlier += 1
      }
      later += 1
    }
  }
}

extension JSONDocument {
  /// The value of the object's member of this name.
  @inline(__always)
  func find(_ name: StaticString, in object: JSONNode) -> JSONNode? {
    var members = memberWalk(object)
    while let (key, value) = next(&members) {
      guard let plain = plainSpan(key) else { return member(name.span, of: object) }
      if plain.equals(name) { return value }
    }
    return nil
  }
}

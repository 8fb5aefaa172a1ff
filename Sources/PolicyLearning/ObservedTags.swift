internal import Primitives

/// What was seen of one tag.
struct ObservedTag {
  /// Creations that carry it.
  var creations = 0
  /// Whether some value is not shown.
  var isHidden = false
  /// Up to one more than can be listed.
  private(set) var values: [Text: Int] = [:]
  private(set) var strings = ObservedStrings()

  static let mostValues = 12

  mutating func take(_ value: Text?) {
    guard let value else {
      isHidden = true
      return
    }
    if values.count <= Self.mostValues || values[value] != nil { values[value, default: 0] += 1 }
    strings.take(value)
  }

  /// The values, when they are few and each was seen more than once on average: a list that the next request would not
  /// be on is none.
  var listable: [Text]? {
    guard !isHidden, values.count <= Self.mostValues, strings.count >= 3 * values.count,
      values.keys.allSatisfy(\.isPlain), values[""] == nil
    else { return nil }
    return values.keys.sorted()
  }
}

/// All tags that were seen.
struct ObservedTags {
  private(set) var byKey: [Text: ObservedTag] = [:]
  private(set) var removed: Set<Text> = []
  private(set) var most = 0
  /// There are too many keys to keep.
  private(set) var isEndless = false

  private static let mostKeys = 500

  mutating func take(_ request: ObservedRequest, isCreation: Bool) {
    for tag in request.tags {
      change(tag.key) {
        if isCreation { $0.creations += 1 }
        $0.take(tag.value)
      }
    }
    for tag in request.changedTags { change(tag.key) { $0.take(tag.value) } }
    for key in request.removedKeys { removed.insert(key.folded) }
    most = max(most, Set((request.tags + request.changedTags).map(\.key)).count)
  }

  private mutating func change(_ key: Text, _ change: (inout ObservedTag) -> Void) {
    guard byKey[key] != nil || byKey.count < Self.mostKeys else {
      isEndless = true
      return
    }
    change(&byKey[key, default: ObservedTag()])
  }

  var keys: [Text] { byKey.keys.sorted() }

  /// Why no rule can ask for a tag, whoever carries it; `nil`: one can.
  func obstacle(to key: Text) -> String? {
    if !key.isPlain { return "its key has characters that mean something in policies" }
    if removed.contains(key.folded) { return "requests take it away" }
    let others = byKey.keys.filter { $0 != key && $0.folded == key.folded }
    return others.isEmpty ? nil : "it also comes as `\(others.sorted()[0])`"
  }
}

extension Text {
  /// Without what globs, templates and lists of policies take for something else.
  var isPlain: Bool { !utf8.contains { "*?[]{}$\\".utf8.contains($0) || $0 < 0x20 || $0 == 0x7F } }

  var folded: Text { Text(string.lowercased()) }
}

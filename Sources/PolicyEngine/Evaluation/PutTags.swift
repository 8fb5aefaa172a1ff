internal import Configuration
internal import Primitives

/// A tag that a policy puts in.
struct PutTag {
  let key: FoldedKey
  let value: PolicyDocument.Located<Text>
  /// Whatever the caller gave; otherwise when they gave none.
  let isSet: Bool
}

/// A policy's document, with the tags that it puts in and those that it requires made ready to be compared.
struct PuttingPolicy {
  let document: PolicyDocument
  let putTags: [PutTag]
  let required: [(key: FoldedKey, rule: PolicyDocument.RequiredTag)]

  init(_ document: PolicyDocument) {
    self.document = document
    required = (document.tags?.required ?? []).map { (FoldedKey($0.key.value), $0) }
    let defaults = required.compactMap { key, rule in
      rule.defaultValue.map { PutTag(key: key, value: $0, isSet: false) }
    }
    let sets = (document.tags?.set ?? []).map { key, value in
      PutTag(key: FoldedKey(key.value), value: value, isSet: true)
    }
    putTags = defaults + sets
  }

  func requires(_ key: Text) -> Bool { required.contains { $0.key.text == key } }

  func sets(_ key: Text) -> Bool { putTags.contains { $0.isSet && $0.key.text == key } }

  /// How many tags the policy puts in where the caller gives none.
  var putCount: Int { count(ofRequired: { $0.defaultValue != nil }) }

  /// How many tags a user must have by the policy alone: those that it requires and those that it sets.
  var leastCount: Int { count(ofRequired: { _ in true }) }

  /// Required keys that differ only in case are met by one tag.
  private func count(ofRequired isCounted: (PolicyDocument.RequiredTag) -> Bool) -> Int {
    var keys: [FoldedKey] = []
    for (key, rule) in required where isCounted(rule) {
      if !keys.contains(where: { $0.text == key.text || $0.differsOnlyInCase(from: key.text) }) {
        keys.append(key)
      }
    }
    for put in putTags where put.isSet && !keys.contains(where: { $0.text == put.key.text }) {
      keys.append(put.key)
    }
    return keys.count
  }
}

extension PolicyDocument {
  /// What becomes of a tag that it puts in.
  var isPutIn: String { mode == .warn ? "would be put in" : "is put in" }
  var putsIn: String { mode == .warn ? "would put in" : "puts in" }
}

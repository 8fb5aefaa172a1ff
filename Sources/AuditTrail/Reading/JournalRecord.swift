package import Primitives
internal import StrictJSON

/// A record as it stands in the journal.
package struct JournalRecord: Sendable {
  package let sequence: Int
  package let kind: RecordKind
  /// `nil` when the record is about no request (`expired`, `dropped`, `suppressed`, those of later versions).
  package let requestId: Text?
  package let time: WallClockTime
  /// What whoever read it found out about it.
  package var doubt: RecordDoubt?
  private let document: JSONDocument

  /// - Parameter line: without its line feed.
  /// - Returns: `nil` when it is no record, or of a version or kind that this program does not know.
  package init?(line: [UInt8]) {
    guard let document = try? JSONDocument(parsing: line),
      let sequence = document.member("sequence", of: document.root).flatMap({ document.integer($0) }),
      let kind = document.member("record", of: document.root).flatMap({ document.text($0) }),
      let time = document.member("time", of: document.root).flatMap({ document.text($0) }),
      let kind = RecordKind(named: kind), let time = WallClockTime(rfc3339: time.string)
    else { return nil }
    let version = document.member("recordVersion", of: document.root).map { document.integer($0) } ?? 0
    guard let version, RecordVersion.known.contains(version) else { return nil }
    let requestId = document.member("requestId", of: document.root).flatMap { document.text($0) }
    guard kind == .other || (requestId != nil) == kind.isOfRequest else { return nil }
    self.sequence = sequence
    self.kind = kind
    self.requestId = kind == .other ? nil : requestId
    self.time = time
    self.document = document
  }

  /// The line, without its line feed.
  package var line: [UInt8] { document.bytes }

  package func text(_ member: Text) -> Text? { node(member).flatMap { document.text($0) } }

  package func integer(_ member: Text) -> Int? { node(member).flatMap { document.integer($0) } }

  /// The value as it is written; `nil` when the record does not have it.
  package func source(_ member: Text) -> ArraySlice<UInt8>? {
    node(member).map { document.bytes[document.source($0)] }
  }

  /// The tags as they were received, with values that are shown.
  package var tags: [(key: Text, value: Text)] {
    guard let tags = node("tags") else { return [] }
    return document.members(tags).compactMap { key, value in
      guard let key = document.text(key), let value = document.text(value) else { return nil }
      return (key, value)
    }
  }

  /// The tags as they were received, each value as it is written: `null` where it is not shown.
  var tagSources: [(key: Text, value: ArraySlice<UInt8>)] {
    guard let tags = node("tags") else { return [] }
    return document.members(tags).compactMap { key, value in
      document.text(key).map { ($0, document.bytes[document.source(value)]) }
    }
  }

  /// What was changed, and to what, as it is written: `null` where it is not shown.
  var changeSources: [(field: Text, to: ArraySlice<UInt8>)] {
    guard let changes = node("changes") else { return [] }
    return document.elements(changes).compactMap { change in
      guard let field = document.member("field", of: change).flatMap({ document.text($0) }),
        let to = document.member("to", of: change)
      else { return nil }
      return (field, document.bytes[document.source(to)])
    }
  }

  /// What was changed: `Tags.Owner` to `crm@example.com`, when the value is shown.
  package var changes: [(field: Text, to: Text)] {
    guard let changes = node("changes") else { return [] }
    return document.elements(changes).compactMap { change in
      guard let field = document.member("field", of: change).flatMap({ document.text($0) }),
        let to = document.member("to", of: change).flatMap({ document.text($0) })
      else { return nil }
      return (field, to)
    }
  }

  /// The rules of `violations` or `warnings`.
  package func rules(_ member: Text) -> [Text] { texts("rule", ofEach: member) }

  /// A member of each of `violations` or `warnings` that has it.
  package func texts(_ name: Text, ofEach member: Text) -> [Text] {
    guard let findings = node(member) else { return [] }
    return document.elements(findings).compactMap { finding in
      document.member(name, of: finding).flatMap { document.text($0) }
    }
  }

  /// The elements of a list of texts.
  func texts(_ member: Text) -> [Text] {
    guard let list = node(member) else { return [] }
    return document.elements(list).compactMap { document.text($0) }
  }

  /// The message of the first of `violations` or `warnings`.
  func firstMessage(_ member: Text) -> Text? {
    guard let findings = node(member), let finding = document.elements(findings).first(where: { _ in true })
    else { return nil }
    return document.member("message", of: finding).flatMap { document.text($0) }
  }

  private func node(_ member: Text) -> JSONNode? { document.member(member, of: document.root) }
}

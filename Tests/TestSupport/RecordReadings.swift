package import AuditTrail
internal import Primitives

/// What each of the readers of the journal says of one line; `nil` where it does not take it.
package struct RecordReadings {
  /// Everything that both say of a record.
  package struct Said: Equatable {
    let sequence: Int
    let kind: RecordKind
    let time: WallClockTime
    let intent: Int?
    let texts: [Text?]
    let tags: [[Text]]
    let changes: [[Text]]
  }

  /// By the reader of any JSON.
  package let general: Said?
  /// By the scanner on its own.
  package let scanned: Said?
  /// By the scanner, which may ask the general reader.
  package let read: Said?

  package init(of line: [UInt8], _ scanner: inout RecordScanner) {
    general = JournalRecord(line: line).map { Said($0) }
    let span = line.span
    var facts = RecordFacts()
    scanned = scanner.scan(span, into: &facts) ? Said(facts, of: span) : nil
    read = scanner.read(span, into: &facts) ? Said(facts, of: span) : nil
  }

  /// The scanner takes no line that the general reader does not take, and says the same of it.
  package var agree: Bool { read == general && (scanned == nil || scanned == general) }
}

extension RecordReadings.Said {
  init(_ record: JournalRecord) {
    self.init(
      sequence: record.sequence, kind: record.kind, time: record.time, intent: record.integer("intent"),
      texts: RecordFacts.Subject.allCases.map { record.text($0.key) },
      tags: record.tags.map { [$0.key, $0.value] },
      changes: record.changes.map { [$0.field, $0.to] })
  }

  init(_ facts: borrowing RecordFacts, of line: Span<UInt8>) {
    var texts: [Text?] = []
    for subject in RecordFacts.Subject.allCases {
      guard let place = facts[subject] else {
        texts.append(nil)
        continue
      }
      texts.append(facts.bytes(place, of: line).uncheckedText)
    }
    var (tags, changes): ([[Text]], [[Text]]) = ([], [])
    for index in 0..<facts.tagCount {
      let pair = facts.tag(index)
      tags.append([
        facts.bytes(pair.key, of: line).uncheckedText, facts.bytes(pair.value, of: line).uncheckedText,
      ])
    }
    for index in 0..<facts.changeCount {
      let pair = facts.change(index)
      changes.append([
        facts.bytes(pair.key, of: line).uncheckedText, facts.bytes(pair.value, of: line).uncheckedText,
      ])
    }
    self.init(
      sequence: facts.sequence, kind: facts.kind, time: facts.time, intent: facts.intent, texts: texts,
      tags: tags,
      changes: changes)
  }
}

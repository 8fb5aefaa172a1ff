internal import ChimeIdentity
internal import Primitives
internal import StrictJSON
internal import Synchronization

/// A call that changed what a sandbox has, with the time and the randomness that it was given: carried out again it does
/// the same, because the service takes nothing from elsewhere.
package struct SandboxEntry: Sendable {
  let method: Text
  let path: Text
  let query: Text
  /// JSON, or nothing.
  let body: Text
  let time: WallClockTime
  let random: [UInt64]

  init(_ call: IdentifiedCall, _ document: JSONDocument?, at time: WallClockTime, random: [UInt64]) {
    method = call.operation.model.method.name
    path = Text(uncheckedUTF8: call.upstreamPath)
    query = Text(uncheckedUTF8: call.upstreamQuery)
    body = Text(uncheckedUTF8: document?.bytes ?? [])
    self.time = time
    self.random = random
  }

  /// - Returns: `nil` when the line is none.
  package init?(line: [UInt8]) {
    guard let document = try? JSONDocument(parsing: line) else { return nil }
    func text(_ name: Text) -> Text? {
      document.member(name, of: document.root).flatMap { document.text($0) }
    }
    guard let method = text("method"), let path = text("path"), let query = text("query"),
      let body = text("body"),
      let time = document.member("time", of: document.root).flatMap({ document.integer($0) }),
      let random = document.member("random", of: document.root)
    else { return nil }
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.time = WallClockTime(nanoseconds: Int64(time))
    self.random = document.elements(random).compactMap {
      document.integer($0).map { UInt64(bitPattern: Int64($0)) }
    }
  }

  /// With a line feed.
  package var line: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (key, value) in [("method", method), ("path", path), ("query", query), ("body", body)] {
      writer.key(text: Text(key))
      writer.string(value)
    }
    writer.key("time")
    writer.integer(Int(time.nanoseconds))
    writer.key("random")
    writer.beginArray()
    for word in random { writer.integer(Int(bitPattern: UInt(word))) }
    writer.endArray()
    writer.endObject()
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension SandboxService {
  /// Carries out again what was carried out, whatever the quotas are now
  /// (docs/decisions/0226-what-was-answered-is-carried-out-again.md).
  /// - Returns: whether it could be.
  package mutating func redo(_ entry: SandboxEntry) -> Bool {
    let query = entry.query.utf8.isEmpty ? nil : entry.query.utf8[...]
    guard
      let call = try? Operation.identify(
        method: entry.method.utf8[...], path: entry.path.utf8[...], query: query)
    else { return false }
    let document = entry.body.utf8.isEmpty ? nil : try? JSONDocument(parsing: entry.body.utf8)
    guard (document == nil) == entry.body.utf8.isEmpty else { return false }
    let inForce = quotas
    quotas = .none
    defer { quotas = inForce }
    return (try? answer(call, document: document, now: entry.time, entropy: RecordedEntropy(entry.random)))
      != nil
  }
}

/// Remembers what was drawn, or gives again what was.
final class RecordedEntropy: Entropy {
  private let source: (any Entropy)?
  private let words: Mutex<[UInt64]>

  init(of source: any Entropy) {
    self.source = source
    words = Mutex([])
  }

  init(_ recorded: [UInt64]) {
    source = nil
    words = Mutex(recorded.reversed())
  }

  var drawn: [UInt64] { words.withLock(\.self) }

  func next() -> UInt64 {
    words.withLock { words in
      guard let source else { return words.popLast() ?? 0 }
      let word = source.next()
      words.append(word)
      return word
    }
  }
}

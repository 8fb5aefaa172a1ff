package import OpenSSLCrypto
package import Primitives
internal import StrictJSON

/// What a line of the file `checkpoints` says: how far the journal reached at a time. Whoever keeps one can tell later
/// whether the journal still holds what it held then.
///
/// A line names the digest of the line before, so that none can be taken out; the last members are the signature's.
package struct Checkpoint: Sendable, Hashable {
  package let journal: JournalIdentity
  package let time: WallClockTime
  /// The last record.
  package let head: ChainHead
  /// The record before the first that is kept.
  package let base: ChainHead
  /// How many segments there are.
  package let segments: Int
  /// The digest of the line before.
  package let previous: SHA256Digest

  /// Beside the segments.
  package static let file = "checkpoints"
  /// What the first line names as the one before.
  package static let genesis = SHA256.digest(Array("gatehouse audit checkpoints, format 1".utf8))

  package init(
    journal: JournalIdentity, time: WallClockTime, head: ChainHead, base: ChainHead, segments: Int,
    previous: SHA256Digest
  ) {
    self.journal = journal
    self.time = time
    self.head = head
    self.base = base
    self.segments = segments
    self.previous = previous
  }

  /// What is signed: the line up to the signature.
  private var signed: [UInt8] {
    var out: [UInt8] = []
    out.append(
      string: "{\"checkpoint\":1,\"journal\":\"\(journal.text)\",\"time\":\"\(time.rfc3339)\","
        + "\"sequence\":\(head.sequence),\"head\":\"\(head.text)\",\"baseSequence\":\(base.sequence),"
        + "\"base\":\"\(base.text)\",\"segments\":\(segments),\"previous\":\"sha256:\(previous.hex)\"")
    return out
  }

  /// The line, without its line feed.
  package func line(signedWith key: Ed25519PrivateKey?) -> [UInt8] {
    let text = signed
    guard let key else { return text + [UInt8(ascii: "}")] }
    return text + Array(",\"signature\":\"ed25519:\(Hex.encode(key.sign(text)))\"}".utf8)
  }

  /// Reads a line as `line` writes it.
  /// - Returns: `nil` when it is no such line; with it the signature's bytes, when there is one.
  package static func read(_ line: [UInt8]) -> (Checkpoint, signature: [UInt8]?)? {
    guard let document = try? JSONDocument(parsing: line) else { return nil }
    let text = { (name: Text) in document.member(name, of: document.root).flatMap { document.text($0) } }
    let integer = { (name: Text) in document.member(name, of: document.root).flatMap { document.integer($0) }
    }
    guard let journal = text("journal").flatMap({ JournalIdentity($0.string) }),
      let time = text("time").flatMap({ WallClockTime(rfc3339: $0.string) }),
      let sequence = integer("sequence"), let headText = text("head"),
      let baseSequence = integer("baseSequence"),
      let baseText = text("base"), let head = ChainHead(sequence: sequence, text: headText),
      let base = ChainHead(sequence: baseSequence, text: baseText), let segments = integer("segments"),
      let previous = text("previous").flatMap({ ChainHead(sequence: 0, text: $0) })
    else { return nil }
    let checkpoint = Checkpoint(
      journal: journal, time: time, head: head, base: base, segments: segments, previous: previous.digest)
    let signature = text("signature").flatMap { text in
      text.utf8.starts(with: "ed25519:".utf8) ? Hex.decode(text.utf8.dropFirst("ed25519:".utf8.count)) : nil
    }
    // Nothing may stand in the line that is not looked at.
    var whole = checkpoint.signed
    if let signature { whole += Array(",\"signature\":\"ed25519:\(Hex.encode(signature))\"".utf8) }
    guard whole + [UInt8(ascii: "}")] == line else { return nil }
    return (checkpoint, signature)
  }

  /// Whether this is what a crash of the machine leaves of a line that was not on disk: blocks that read as zeros.
  package static func isHole(_ line: some Sequence<UInt8>) -> Bool { line.contains(0) }

  /// Whether the key made this signature of it.
  package func isSigned(_ signature: [UInt8], by key: Ed25519PublicKey) -> Bool {
    key.verifies(signature, of: signed)
  }
}

/// What is wrong with a checkpoint, or with the journal according to it.
package enum CheckpointFault: Sendable, Hashable {
  case missing
  /// None that is signed names the beginning that the journal has.
  case baseUnsigned
  case unreadable
  /// It does not name the line before: one was removed, moved or altered.
  case unlinked
  case otherJournal
  case unsigned
  case badSignature
  /// It reaches less far than the one before.
  case goesBack
  /// The journal ends before the record that it names.
  case journalIsShorter(last: Int)
  /// The journal has another record in that place.
  case journalIsRewritten

  func message(sequence: Int) -> String {
    switch self {
    case .missing: "there is no checkpoint that the key has signed: the checkpoints were removed"
    case .baseUnsigned:
      "no checkpoint that the key has signed says that retention removed the records up to \(sequence)"
    case .unreadable: "this is no checkpoint"
    case .unlinked:
      "the checkpoint at record \(sequence) does not follow the one before: one was removed or altered"
    case .otherJournal: "the checkpoint at record \(sequence) is one of another journal"
    case .unsigned: "the checkpoint at record \(sequence) is not signed"
    case .badSignature:
      "the checkpoint at record \(sequence) was not signed with a key that was given, or was altered; after a change of "
        + "signingKey give the former key as well"
    case .goesBack: "the checkpoint at record \(sequence) reaches less far than the one before"
    case .journalIsShorter(let last):
      "the journal ends with record \(last), and a checkpoint says that it reached record \(sequence): it was truncated"
    case .journalIsRewritten:
      "record \(sequence) is not the one that a checkpoint names: the journal was rewritten"
    }
  }
}

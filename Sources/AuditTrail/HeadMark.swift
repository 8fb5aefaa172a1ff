internal import OpenSSLCrypto
internal import Primitives

/// What the file `checkpoint.head` beside the segments says: which records the journal must hold at least.
///
/// It is written in place after records are on disk, never before, so that no crash makes it promise too much. Its
/// size never changes, so that one sector holds it, and its last line is the digest of the others, so that a mixture
/// of two marks is not read. It is not signed: it shows that records were cut off,
/// not who may have rewritten it together with them.
package struct HeadMark: Sendable, Hashable {
  /// A record that is on disk.
  package var head: ChainHead
  /// The record before the first that is kept; the genesis unless old segments were removed.
  package var base: ChainHead

  package init(head: ChainHead, base: ChainHead) {
    self.head = head
    self.base = base
  }

  package static let file = "checkpoint.head"

  package var bytes: [UInt8] {
    var out: [UInt8] = []
    out.append(Self.title)
    for (label, place) in [("head", head), ("base", base)] {
      out.append(string: label)
      out.append(" ")
      out.append(decimal: place.sequence, width: Self.width)
      out.append(" sha256:")
      place.digest.appendHex(to: &out)
      out.append("\n")
    }
    let check = SHA256.digest(out)
    out.append("check sha256:")
    check.appendHex(to: &out)
    out.append("\n")
    return out
  }

  /// `nil` when the bytes are not such a file.
  package init?(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == 5, lines[4].isEmpty, let head = Self.place(lines[1], label: "head"),
      let base = Self.place(lines[2], label: "base"), base.sequence <= head.sequence
    else { return nil }
    self.init(head: head, base: base)
    // This compares the digest as well.
    guard self.bytes == bytes else { return nil }
  }

  private static func place(_ line: ArraySlice<UInt8>, label: String) -> ChainHead? {
    let parts = line.split(separator: UInt8(ascii: " "))
    guard parts.count == 3, parts[0].elementsEqual(label.utf8), parts[2].starts(with: "sha256:".utf8),
      let sequence = Int(String(decoding: parts[1], as: UTF8.self)), sequence >= 0,
      let digest = Hex.decode(parts[2].dropFirst("sha256:".utf8.count)).flatMap({ SHA256Digest(bytes: $0) })
    else { return nil }
    return ChainHead(sequence: sequence, digest: digest)
  }

  private static let title: StaticString = "gatehouse audit journal, format 1\n"
  private static let width = 16
}

import HTTPWire
import TestSupport
import Testing

/// Damages good and bad messages at random, with fixed seeds: no input may trap, and the pieces in which
/// it comes must not change what is read.
@Suite("Mutations")
struct MutationTests {
  static let interesting: [UInt8] = Array("\r\n\t :;,=%/.?#0123fF\"\\".utf8) + [0, 0x7F, 0x80, 0xFF]

  static func mutate(_ bytes: [UInt8], with generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &generator)
      let byte = interesting[Int.random(in: 0..<interesting.count, using: &generator)]
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes[index] = byte
      case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
      case 2: bytes.insert(byte, at: index)
      case 3: bytes.remove(at: index)
      case 4: bytes.removeSubrange(index..<min(bytes.count, index + 9))
      default:
        let other = Int.random(in: 0..<bytes.count, using: &generator)
        bytes.insert(contentsOf: bytes[other..<min(bytes.count, other + 12)], at: index)
      }
    }
    return bytes
  }

  static func randomCuts(_ count: Int, with generator: inout SeededGenerator) -> [Int] {
    (0..<3).map { _ in Int.random(in: 0...count, using: &generator) }.sorted()
  }

  @Test("requests", arguments: 1...4)
  func requests(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let good = AcceptedRequest.all.map { Array($0.text.utf8) }
    let bad = RefusedRequest.all.map(\.bytes)
    let limits = HTTPLimits(headerBytes: 300, bodyBytes: 40)
    var read = 0
    for round in 0..<10_000 {
      let original = round.isMultiple(of: 2) ? good[round / 2 % good.count] : bad[round / 2 % bad.count]
      let bytes = Self.mutate(original, with: &generator)
      let whole = readRequests(bytes, limits: limits)
      for cuts in [Array(1..<max(bytes.count, 1)), Self.randomCuts(bytes.count, with: &generator)] {
        let pieces = readRequests(bytes, cuts: cuts, limits: limits)
        #expect(pieces == whole, "\(bytes) cut at \(cuts): \(pieces), whole: \(whole)")
      }
      read += whole.messages.count
    }
    #expect(read > 500, "the mutations leave too few messages whole to mean anything")
  }

  @Test("answers", arguments: 1...2)
  func responses(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let corpus =
      ReadResponse.all.map { Array($0.text.utf8) } + RefusedResponse.all.map { Array($0.text.utf8) }
    let limits = HTTPLimits(headerBytes: 300, bodyBytes: 40)
    for round in 0..<10_000 {
      let bytes = Self.mutate(corpus[round % corpus.count], with: &generator)
      let whole = readResponses(bytes, limits: limits)
      for cuts in [Array(1..<max(bytes.count, 1)), Self.randomCuts(bytes.count, with: &generator)] {
        let pieces = readResponses(bytes, cuts: cuts, limits: limits)
        #expect(pieces == whole, "\(bytes) cut at \(cuts): \(pieces), whole: \(whole)")
      }
    }
  }

  @Test("after any refusal a new parser reads the next good request")
  func recovers() {
    let good = Array("GET /next HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
    for refused in RefusedRequest.all {
      _ = readRequests(refused.bytes)
      #expect(readRequests(good).messages.count == 1)
    }
  }
}

import Primitives
import StrictJSON
import TestSupport
import Testing

@Suite struct JSONCorpusTests {
  @Test func theCorpusIsThere() {
    #expect(CorpusFile.all.count > 250)
  }

  @Test(arguments: CorpusFile.all)
  func isReadAsItsNameSays(_ file: CorpusFile) {
    #expect(((try? JSONDocument(parsing: file.bytes)) != nil) == file.isValid)
    #expect(((try? parseLocated(file.bytes)) != nil) == file.isValid)
  }

  @Test(arguments: CorpusFile.all)
  func janssonAgrees(_ file: CorpusFile) throws {
    expectAgreement(file.bytes)
  }

  /// A cut text is never valid before its end, except where what is cut off was whitespace or digits.
  @Test(arguments: CorpusFile.all.filter { $0.isValid && $0.bytes.count < 600 })
  func everyPrefixAndEverySuffixIsReadAsJanssonDoes(_ file: CorpusFile) {
    for cut in 0...file.bytes.count {
      expectAgreement(Array(file.bytes.prefix(cut)))
      expectAgreement(Array(file.bytes.dropFirst(cut)))
    }
  }

  @Test(arguments: CorpusFile.all.filter { $0.isValid && $0.bytes.count < 600 })
  func nothingMayFollowTheValue(_ file: CorpusFile) {
    for trailer in ["x", "{}", ",", "\"", "]", "}", "\u{FEFF}", "//", "\0", " null"] {
      // `42` and `x` joined would be another token.
      let bytes = file.bytes + Array(" \(trailer)".utf8)
      #expect(throws: JSONSyntaxError.self, "followed by \(trailer)") { try JSONDocument(parsing: bytes) }
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func mutatedTextsAreReadAsJanssonDoes(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let small = CorpusFile.all.filter { $0.bytes.count < 600 }
    let seeds = small.map(\.bytes)
    let valid = small.filter(\.isValid).map(\.bytes)
    var accepted = 0
    for _ in 0..<15_000 {
      let fromValid = Int.random(in: 0..<4, using: &generator) > 0
      var bytes = (fromValid ? valid : seeds).randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        Self.mutate(&bytes, with: seeds, &generator)
      }
      if expectAgreement(bytes) { accepted += 1 }
    }
    // Otherwise the mutants would only ever test the first error.
    #expect(accepted > 1_000)
  }

  /// What stands before and behind a text in the same bytes changes nothing.
  @Test(arguments: CorpusFile.all.filter { $0.bytes.count < 600 })
  func aTextInsideOtherBytesIsReadAsItIsAlone(_ file: CorpusFile) {
    let neighbours: [([UInt8], [UInt8])] = [
      ([], [UInt8](repeating: 0x20, count: 9)), (Array("{\"a\":[".utf8), Array("]}".utf8)),
      (Array("\"".utf8), Array("\"".utf8)), (Array("[,".utf8), Array("9\0\\".utf8)), ([0xC3], [0xA9]),
    ]
    for (before, behind) in neighbours { expectTheSame(file.bytes, between: before, and: behind) }
  }

  @Test func mutatedTextsInsideOtherBytesAreReadAsAlone() {
    var generator = SeededGenerator(seed: 11)
    let seeds = CorpusFile.all.map(\.bytes).filter { $0.count < 600 }
    for _ in 0..<5_000 {
      var bytes = seeds.randomElement(using: &generator) ?? []
      Self.mutate(&bytes, with: seeds, &generator)
      let before = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      let behind = Self.interesting.randomElement(using: &generator) ?? []
      expectTheSame(bytes, between: before, and: behind)
    }
  }

  func expectTheSame(_ text: [UInt8], between before: [UInt8], and behind: [UInt8]) {
    let whole = before + text + behind
    let range = before.count..<before.count + text.count
    do throws(JSONSyntaxError) {
      let alone = try JSONDocument(parsing: text)
      do throws(JSONSyntaxError) {
        let within = try JSONDocument(parsing: whole, in: range)
        if let found = Self.difference(alone, alone.root, within, within.root, shift: before.count) {
          Issue.record("\(Self.show(text)) inside \(Self.show(whole)): \(found)")
        }
      } catch { Issue.record("only alone: \(Self.show(text)) inside \(Self.show(whole)): \(error)") }
    } catch let alone {
      do throws(JSONSyntaxError) {
        _ = try JSONDocument(parsing: whole, in: range)
        Issue.record("only inside \(Self.show(whole)): \(Self.show(text)): \(alone)")
      } catch { #expect(error == alone) }
    }
  }

  /// Walks both trees and looks at everything that nodes tell.
  static func difference(
    _ left: JSONDocument, _ leftNode: JSONNode, _ right: JSONDocument, _ rightNode: JSONNode, shift: Int
  ) -> String? {
    let source = left.source(leftNode)
    guard left.kind(leftNode) == right.kind(rightNode),
      source.lowerBound + shift..<source.upperBound + shift == right.source(rightNode)
    else { return "another kind or place at \(source)" }
    var text = ByteBuffer()
    let place = left.appendUnescaped(leftNode, to: &text)
    guard left.text(leftNode) == right.text(rightNode), left.integer(leftNode) == right.integer(rightNode),
      left.real(leftNode) == right.real(rightNode), left.boolean(leftNode) == right.boolean(rightNode),
      (place == nil) == (left.kind(leftNode) != .string),
      place == nil || right.isText(rightNode, text.span)
    else { return "another value at \(source)" }
    var (elements, others) = (left.elementWalk(leftNode), right.elementWalk(rightNode))
    while let element = left.next(&elements) {
      guard let other = right.next(&others) else { return "an element too many at \(source)" }
      if let found = difference(left, element, right, other, shift: shift) { return found }
    }
    var (members, otherMembers) = (left.memberWalk(leftNode), right.memberWalk(rightNode))
    while let member = left.next(&members) {
      guard let other = right.next(&otherMembers) else { return "a member too many at \(source)" }
      if let found = difference(left, member.key, right, other.key, shift: shift) { return found }
      if let found = difference(left, member.value, right, other.value, shift: shift) { return found }
    }
    return others.isAtEnd && otherMembers.isAtEnd ? nil : "something is left over at \(source)"
  }

  /// Records an issue unless both accept, with the same values, or both refuse, or they differ as intended.
  /// - Returns: whether both accept.
  @discardableResult
  func expectAgreement(_ bytes: [UInt8]) -> Bool {
    let reference = JanssonTree(bytes)
    do throws(JSONSyntaxError) {
      let document = try JSONDocument(parsing: bytes)
      guard let reference else {
        Issue.record("only jansson refuses \(Self.show(bytes))")
        return false
      }
      if let found = reference.difference(from: document) {
        Issue.record("jansson reads \(Self.show(bytes)) differently at \(found)")
      }
      return true
    } catch {
      if !(0...bytes.count).contains(error.offset) || error.message.isEmpty {
        Issue.record("no usable error for \(Self.show(bytes)): \(error)")
      }
      if reference != nil, DeliberateDifference(bytes, ours: error) == nil {
        Issue.record("only jansson accepts \(Self.show(bytes)): \(error)")
      }
      return false
    }
  }

  static func show(_ bytes: [UInt8]) -> String {
    bytes.count < 600
      ? "\(String(decoding: bytes, as: UTF8.self)) = \(Hex.encode(bytes))" : "\(bytes.count) bytes"
  }

  static let interesting: [[UInt8]] =
    [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\u0000", "\\ud800", "\\udc00", "\\u0061", "0", "1",
      "9", "-",
      "+", ".", "e", "E5", "e308", "9223372036854775807", "00", " ", "\n", "\t", "true", "null", "false",
      "\0",
      "\u{1F}", "\u{7F}", "é", "漢", "😀", "\u{FEFF}", "\"a\":1,", ",\"a\":1", "[[[[[[[[", "]]]]]]]]",
      "{\"a\":",
    ].map { Array($0.utf8) } + [[0xC0], [0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90], [0xFF], [0xE0, 0x9F]]

  static func mutate(
    _ bytes: inout [UInt8], with others: [[UInt8]], _ generator: inout SeededGenerator
  ) {
    let place = Int.random(in: 0...bytes.count, using: &generator)
    let end = min(bytes.count, place + Int.random(in: 0...8, using: &generator))
    switch Int.random(in: 0..<7, using: &generator) {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
    case 2: bytes.insert(contentsOf: interesting.randomElement(using: &generator) ?? [], at: place)
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 5: bytes.replaceSubrange(place..<end, with: interesting.randomElement(using: &generator) ?? [])
    default:
      let other = others.randomElement(using: &generator) ?? []
      bytes.insert(contentsOf: other.prefix(Int.random(in: 0...other.count, using: &generator)), at: place)
    }
  }
}

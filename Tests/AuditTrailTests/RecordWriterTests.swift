import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@Suite struct RecordWriterTests {
  private func written(
    under sensitivity: Sensitivity = Sensitivity(), _ write: (inout RecordWriter) -> Void
  ) -> String {
    var record = RecordWriter(under: sensitivity, capacity: 0)
    record.begin(intent: requestID(1), at: time())
    write(&record)
    record.end()
    return String(decoding: record.bytes.array, as: UTF8.self)
  }

  private func json(_ value: [UInt8]) -> [UInt8] {
    var bytes = ByteBuffer()
    bytes.append(jsonString: value.span)
    return bytes.array
  }

  /// As slow and obvious as can be.
  private func expectedJSON(_ value: [UInt8]) -> [UInt8] {
    var out = Array("\"".utf8)
    for byte in String(decoding: value, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "\""): out += Array("\\\"".utf8)
      case UInt8(ascii: "\\"): out += Array("\\\\".utf8)
      case 0x0A: out += Array("\\n".utf8)
      case 0x0D: out += Array("\\r".utf8)
      case 0x09: out += Array("\\t".utf8)
      case 0x00: out += Array("\u{FFFD}".utf8)
      case 0x01..<0x20, 0x7F: out += Array("\\u00".utf8) + [Hex.digit(byte >> 4), Hex.digit(byte & 15)]
      default: out.append(byte)
      }
    }
    return out + Array("\"".utf8)
  }

  @Test func everyByteIsWrittenAsItMustBeAtEveryPlaceInAWord() {
    for byte in UInt8.min ... .max {
      for count in 0...17 {
        for place in 0..<count {
          var value = [UInt8](repeating: UInt8(ascii: "x"), count: count)
          value[place] = byte
          // Not `#expect`, which costs more than all the rest here.
          if json(value) != expectedJSON(value) { Issue.record("\(byte) at \(place) of \(count)") }
        }
      }
    }
  }

  @Test func whatIsNoUTF8IsReplacedAsStringDoesIt() {
    var entropy = SeededGenerator(seed: 7)
    // Bytes at the bounds of the table of well-formed sequences.
    let bounds: [UInt8] = [
      0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
      0xEE,
      0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    for _ in 0..<20_000 {
      let value = (0..<Int.random(in: 0...12, using: &entropy)).map { _ in
        bounds[Int.random(in: bounds.indices, using: &entropy)]
      }
      if json(value) != expectedJSON(value) { Issue.record("\(value)") }
    }
  }

  @Test func membersThatAreWrittenAheadAreTheSame() {
    let ahead = RecordMembers {
      $0.tenant(Array("crm".utf8).span)
      $0.actor(Array("\"alice\"".utf8).span)
    }
    let revision = RecordMembers { $0.policyRevision(Array("sha256:00".utf8).span) }
    let first = written {
      $0.append(ahead)
      $0.sourceIp(Array("127.0.0.1".utf8).span)
      $0.decision(.denied)
      $0.append(revision)
    }
    let second = written {
      $0.tenant(Array("crm".utf8).span)
      $0.actor(Array("\"alice\"".utf8).span)
      $0.sourceIp(Array("127.0.0.1".utf8).span)
      $0.decision(.denied)
      $0.policyRevision(Array("sha256:00".utf8).span)
    }
    #expect(first == second)
  }

  @Test func listsWrittenAheadAreClosed() {
    let ahead = RecordMembers { $0.tagKey(Array("a".utf8).span) }
    #expect(written { $0.append(ahead) }.hasSuffix(#","tagKeys":["a"]}"#))
  }

  @Test(arguments: [0, 1, 100, 8000, 8184, 8186, 8188, 8190, 8192, 9000])
  func userArnOfItsPartsIsCutAsAWhole(_ count: Int) {
    let instance = Array(String(repeating: "ä", count: count / 2).utf8)
    for user in ["", "u", String(repeating: "ü", count: 200)] {
      let whole = Array((String(decoding: instance, as: UTF8.self) + "/user/" + user).utf8)
      let parts = written { $0.appInstanceUserArn(of: instance.span, user: Array(user.utf8).span) }
      let once = written { $0.appInstanceUserArn(whole.span) }
      // Only whether, so that a failure does not print both.
      let isSame = parts == once
      #expect(isSame)
    }
  }

  @Test func nextRecordKnowsNothingOfTheOneBefore() {
    var record = RecordWriter(under: Sensitivity())
    let value = Array("v".utf8)
    for number: UInt64 in 1...3 {
      record.begin(outcome: requestID(number), at: time(Int64(number)))
      record.tag(value.span, value.span)
      record.decision(.allowed)
      record.change(field: value.span, from: nil, to: value.span)
      record.result(.created, status: 201, userArn: value.span, durationNanoseconds: 1_234_567)
      record.end()
    }
    let each = (1...3).map { number in
      """
      "record":"outcome","requestId":"\(requestID(UInt64(number)).text)","time":"2026-11-23T13:00:0\(number).123Z",\
      "tags":{"v":"v"},"decision":"allowed","changes":[{"field":"v","to":"v"}],"status":201,\
      "appInstanceUserArn":"v","outcome":"created","durationMs":1.234}
      """
    }
    #expect(String(decoding: record.bytes.array, as: UTF8.self) == each.joined())
  }

  @Test func keysThatAreAlikeOnceRecordedAreRecordedOnce() {
    // Two keys that are no UTF-8 and differ only in what is replaced.
    let text = written {
      $0.tag([0xFF].span, Array("1".utf8).span)
      $0.tag([0xFE].span, Array("2".utf8).span)
    }
    #expect(text.hasSuffix(#","tags":{"\#u{FFFD}":"1"},"tagsNotRecorded":1}"#))
  }

  @Test func timesOfTheSameSecondDifferInTheirMilliseconds() {
    var record = RecordWriter(under: Sensitivity())
    for milliseconds: Int64 in [0, 1, 999, 1000, -1] {
      let time = WallClockTime(nanoseconds: 1_795_438_800_000_000_000 + milliseconds * 1_000_000)
      record.removeAll()
      record.begin(intent: requestID(1), at: time)
      var expected = ByteBuffer()
      expected.append(rfc3339: time)
      let text = String(decoding: record.bytes.array, as: UTF8.self)
      #expect(text.hasSuffix("\"\(String(decoding: expected.array, as: UTF8.self))\""))
    }
  }
}

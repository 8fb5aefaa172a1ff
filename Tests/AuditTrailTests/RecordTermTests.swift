import AuditTrail
import Primitives
import Testing

@Suite struct RecordTermTests {
  @Test func termsOfOtherValuesSubjectsAndKeysDiffer() {
    let one = TermHasher(key: 1)
    let texts: [Text] = [
      "", "a", "ab", "abc", "abcd", "abcdefgh", "abcdefghi", "abcdefg", "abcdefgh\0", "\0", "\0\0",
    ]
    var seen: Set<UInt32> = []
    for text in texts {
      seen.insert(one.term(.name, text.utf8.span).bits)
      seen.insert(one.term(.user, text.utf8.span).bits)
      seen.insert(TermHasher(key: 2).term(.name, text.utf8.span).bits)
    }
    #expect(seen.count == 3 * texts.count)
    let (ab, c, a, bc): (Text, Text, Text, Text) = ("ab", "c", "a", "bc")
    #expect(one.tag(ab.utf8.span, c.utf8.span) != one.tag(a.utf8.span, bc.utf8.span))
    let (arn, id): (Text, Text) = ("arn:aws:chime:us-east-1:1:app-instance/x/user/me/user/you", "me/user/you")
    #expect(one.user(arn: arn.utf8.span) == one.term(.user, id.utf8.span))
    let other: Text = "arn:aws:chime:us-east-1:1:app-instance/x/bot/me"
    #expect(one.user(arn: other.utf8.span) == one.term(.user, other.utf8.span))
  }

  /// A user's id is found at each offset, behind slashes that begin no marker, and up to the end.
  @Test func theIdOfAUserIsFoundWhereverItStands() {
    let hasher = TermHasher(key: 3)
    for length in 0...40 {
      for filler in ["a", "/", "/user", "/u/"] {
        let head = String(String(repeating: filler, count: length).prefix(length))
        for id in ["", "x", "y/user/z", "0123456789"] {
          let text = head + "/user/" + id
          let expected = text.firstRange(of: "/user/").map { text[$0.upperBound...] } ?? ""
          let (arn, user) = (Array(text.utf8), Array(expected.utf8))
          #expect(hasher.user(arn: arn.span) == hasher.term(.user, user.span), "\(text)")
        }
        guard head.firstRange(of: "/user/") == nil else { continue }
        let none = Array(head.utf8)
        #expect(hasher.user(arn: none.span) == hasher.term(.user, none.span), "\(head)")
      }
    }
  }

  /// The index file keeps these: with other hashes, old files would answer wrongly until they are made anew.
  @Test func hashesStayWhatTheyAre() {
    let hasher = TermHasher(key: 1)
    let text = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    var sum: UInt64 = 0
    for length in 0...20 {
      sum = sum &* 31 &+ hasher.hash(.name, text.span.extracting(0..<length))
    }
    #expect(sum == 13336813075956745274)
  }

  /// What a request is found by is in the terms of its records, whoever reads them.
  @Test func everyFactIsATerm() throws {
    let hasher = TermHasher(key: 7)
    var request = exampleRequest()
    request.name = "Zoë \"Z\""
    request.tags.append(.init(key: "Größe", value: "\n"))
    request.appInstanceUserArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/the-other"
    var expected = [
      ("tenant", request.tenant), ("operation", request.operation), ("key", request.accessKeyId),
      ("actor", request.actor), ("user", request.appInstanceUserId), ("user", "the-other"),
      ("name", request.name),
    ].map { subject, value in
      let text = (value ?? "").utf8
      let subjects: [String: TermHasher.Subject] = [
        "tenant": .tenant, "operation": .operation, "key": .accessKey, "actor": .actor, "user": .user,
        "name": .name,
      ]
      return hasher.term(subjects[subject] ?? .decision, text.span).bits
    }
    for (key, value) in request.tags.map({ ($0.key, $0.value) }) + [
      ("Owner" as Text, "crm@example.com" as Text)
    ] {
      expected.append(hasher.tag(key.utf8.span, value.utf8.span).bits)
    }
    let line = line(request.intentRecord(under: Sensitivity()))
    var scanner = RecordScanner()
    var facts = RecordFacts()
    var terms = ScratchArray<RecordTerm>()
    let isRecord = scanner.read(line.span, into: &facts)
    #expect(isRecord)
    facts.write(to: &terms, of: line.span, by: hasher)
    let found = Set(terms.array.map(\.bits))
    #expect(found.isSuperset(of: expected), "\(expected.filter { !found.contains($0) })")
    #expect(found.count == expected.count + 1, "and the decision")
  }
}

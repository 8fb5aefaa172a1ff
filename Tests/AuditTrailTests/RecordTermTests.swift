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

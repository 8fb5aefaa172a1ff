import Foundation
import Testing

@testable import ChimeIdentity
import Primitives
import StrictJSON

/// Fixtures made with botocore and Python's `re` say what is right.
@Suite struct BotocoreAgreementTests {
  @Test func everyCallThatBotocoreSendsIsIdentifiedAndValid() throws {
    let calls: [Fixtures.Call] = try Fixtures.rows("calls.json")
    #expect(Set(calls.map(\.operation)) == Set(ChimeIdentity.Operation.allCases.map(\.name)))
    for sent in calls {
      let call = try identify(sent.method, sent.query.isEmpty ? sent.path : "\(sent.path)?\(sent.query)")
      #expect(call.operation.name == sent.operation)
      #expect(call.operation.successStatus == sent.status)
      #expect(String(decoding: call.upstreamPath, as: UTF8.self) == sent.path)
      #expect(dictionary(call.pathMembers) == sent.pathMembers)
      #expect(dictionary(call.queryMembers) == sent.queryMembers)
      let document = try sent.body.isEmpty ? nil : JSONDocument(parsing: Array(sent.body.utf8))
      #expect(throws: Never.self, "\(sent)") { try ModelValidator.validate(call, document: document) }
    }
  }

  @Test func everyCallThatBotocoreSendsIsConfinedToItsAppInstance() throws {
    for sent in try Fixtures.rows("calls.json", of: Fixtures.Call.self) {
      let call = try identify(sent.method, sent.query.isEmpty ? sent.path : "\(sent.path)?\(sent.query)")
      let document = try sent.body.isEmpty ? nil : JSONDocument(parsing: Array(sent.body.utf8))
      let subjects = try confinementSubjects(of: call, document: document)
      let isGlobal = ["CreateAppInstance", "ListAppInstances"].contains(sent.operation)
      #expect(subjects.isEmpty == isGlobal, "\(sent.operation)")
      #expect(subjects.allSatisfy { $0.arn?.appInstanceArn.string == Sample.app }, "\(sent.operation)")
      let isPair = ["CreateAppInstanceAdmin", "DescribeAppInstanceAdmin", "DeleteAppInstanceAdmin"]
      #expect(subjects.count == (isPair.contains(sent.operation) ? 2 : isGlobal ? 0 : 1), "\(sent.operation)")
    }
  }

  @Test func bodiesAreJudgedAsAPlainReadingOfTheModelJudgesThem() throws {
    let targets = try Dictionary(
      Fixtures.rows("calls.json", of: Fixtures.Call.self).map { ($0.operation, $0) }, uniquingKeysWith: { $1 }
    )
    for input in try Fixtures.rows("inputs.json", of: Fixtures.Input.self) {
      let sent = try #require(targets[input.operation])
      let target = sent.query.isEmpty ? sent.path : "\(sent.path)?\(sent.query)"
      let found = try violation(sent.method, target, input.body)
      #expect(found?.member == input.violation, "\(input.operation) \(input.body.prefix(400))")
    }
  }

  @Test func patternsMatchWhatPythonMatches() throws {
    let rows: [Fixtures.Pattern] = try Fixtures.rows("patterns.json")
    let values = try #require(rows.compactMap(\.values).first)
    var tested: Set<ModelPattern> = []
    for row in rows {
      guard let source = row.pattern, let matching = row.matching else { continue }
      let pattern = try #require(Self.patterns[source], "no matcher for `\(source)`")
      tested.insert(pattern)
      let expected = Set(matching)
      for (index, value) in values.enumerated() {
        let bytes = Array(value.utf8)
        #expect(
          pattern.matches(bytes.span) == expected.contains(index), "\(source) and \(value.debugDescription)")
      }
    }
    #expect(tested == Set(Self.patterns.values))
  }

  private static let patterns: [String: ModelPattern] = [
    ".*": .anything,
    #"arn:[a-z0-9-\.]{1,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[^/].{0,1023}"#: .arn,
    "[-_a-zA-Z0-9]*": .requestToken,
    #"arn:aws:lex:[a-z]{2}-[a-z]+-\d{1}:\d{12}:bot-alias/[A-Z0-9]{10}/[A-Z0-9]{10}"#: .lexBotAliasArn,
    "^([A-Za-z]_?)+$": .lexIntentName,
    #"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*"#: .resourceName,
    #"[A-Za-z0-9]([A-Za-z0-9\:\-\_\.\@]{0,62}[A-Za-z0-9])?"#: .userId,
    #".*\S.*"#: .notBlank,
  ]

  private func dictionary(_ members: [(name: Text, value: Text)]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: members.map { ($0.name.string, $0.value.string) })
  }
}

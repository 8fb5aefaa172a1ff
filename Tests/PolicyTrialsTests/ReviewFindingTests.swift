import Configuration
import StrictJSON
import Testing

@testable import PolicyTrials

@Suite struct ReviewFindingTests {
  private func finding(
    _ message: String, file: String = "policies/a.json", severity: Problem.Severity = .error
  ) -> ReviewFinding {
    ReviewFinding(
      Problem(
        file: file, position: SourcePosition(line: 3, column: 7), severity: severity, message: message))
  }

  @Test func aWorkflowCommandNamesPlaceAndMessage() {
    #expect(
      finding("no, it: is 100 % wrong").workflowCommand(in: "/w")
        == "::error file=policies/a.json,line=3,col=7,title=A problem of the configuration%2C the tenants or the policies"
        + "::no, it: is 100 %25 wrong")
    #expect(finding("m", severity: .warning).workflowCommand(in: "/w").hasPrefix("::warning file="))
  }

  @Test func nothingInACommandCanEndItOrBeginAnother() {
    let command = finding("a\r\n::error::b", file: "p,l=1:2%/\n::x").workflowCommand(in: "")
    #expect(command.hasPrefix("::error file=p%2Cl=1%3A2%25/%0A%3A%3Ax,line=3,"))
    #expect(command.hasSuffix("::a%0D%0A::error::b"))
    let isOneLine = !command.contains { $0.isNewline }
    #expect(isOneLine)
  }

  @Test(arguments: [
    ("/w/policies/a.json", "policies/a.json"), ("/wx/a.json", "/wx/a.json"), ("./a.json", "a.json"),
  ])
  func pathsAreToldFromTheFolder(_ file: String, _ shown: String) {
    #expect(finding("m", file: file).path(from: "/w") == shown)
  }

  @Test(arguments: [("/w/a b/ü.json", "a%20b/%C3%BC.json"), ("/x/a.json", "file:///x/a.json")])
  func placesInLogsAreURIs(_ file: String, _ uri: String) {
    let log = String(
      decoding: SARIFLog.bytes(of: [finding("m", file: file)], version: "1", in: "/w"), as: UTF8.self)
    #expect(log.contains(#""artifactLocation":{"uri":"\#(uri)"}"#))
  }

  @Test func aFailedCaseIsFoundAtItsPlace() throws {
    let run = try run(
      [policy(#""name":{"maxLength":3}"#)],
      [create(#"{"decision":"allowed","violations":[]}"#, name: "short"), create(#"{"decision":"denied"}"#)])
    let findings = run.findings
    #expect(findings.map(\.title) == ["policy test failed: short"])
    #expect(findings[0].file == "t.test.json" && findings[0].severity == .error)
    #expect(
      findings[0].message.hasPrefix(
        "decision: expected allowed, got denied\nviolations: unexpected name.length"))
  }
}

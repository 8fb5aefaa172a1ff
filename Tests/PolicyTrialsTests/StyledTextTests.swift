import PolicyTrials
import Testing

@Suite struct StyledTextTests {
  @Test func marksStandBesideTheText() {
    let inner: StyledText = "\(bad: "no")"
    let line: StyledText = "a \(good: "b") \(3)\(faint: "")\(inner)"
    #expect(line.text == "a b 3no")
    #expect(line.pieces.filter { $0.mark != .plain }.map(\.text) == ["b", "no"])
    #expect(line.pieces.filter { $0.mark != .plain }.map(\.mark) == [.good, .bad])
  }

  @Test func textThatLooksLikeAMarkIsText() {
    let line: StyledText = "\("\u{1B}[31m")"
    #expect(line.pieces == ["\u{1B}[31m"].flatMap { StyledText(stringLiteral: $0).pieces })
  }
}

import AuditTrail
import OpenSSLCrypto
import Testing

/// A journal in memory: chained lines, and the head after each.
struct Chain {
  private(set) var lines: [[UInt8]] = []
  private(set) var heads: [ChainHead] = [.genesis]

  init(records: Int) {
    for number in 1...records { append("\"record\":\"outcome\",\"requestId\":\"request \(number)\"}") }
  }

  mutating func append(_ body: String) {
    var lines = ChainedLines()
    var head = heads[heads.count - 1]
    lines.append(Array(body.utf8), after: &head)
    self.lines.append(lines.withBytes { Array($0.dropLast()) })
    heads.append(head)
  }

  /// What the verifier says of `lines`, and of `mark`, and how many records it took.
  func verify(_ lines: [[UInt8]], mark: Int? = nil) -> (problem: ChainProblem?, extent: ChainVerifier.Extent)
  {
    let mark = mark.map { HeadMark(head: heads[$0], base: .genesis) }
    var verifier = ChainVerifier(from: 1, after: .genesis, mark: mark)
    if let problem = verifier.begin(SegmentName(firstSequence: 1)) { return (problem, verifier.extent) }
    for line in lines {
      if let problem = verifier.take(whole: line) { return (problem, verifier.extent) }
    }
    return (verifier.finish(), verifier.extent)
  }
}

extension ChainVerifier {
  /// A span cannot go through `#expect`.
  fileprivate mutating func take(whole line: [UInt8]) -> ChainProblem? { take(line.span.bytes) }
}

@Suite struct ChainTests {
  // Digests by Python's hashlib.
  @Test func linesAreChainedAsDocumented() {
    #expect(
      ChainHead.genesis.text == "sha256:1fd1b0a16519796f5b5643de0d0cfddec45bf80ebbe06530862584ac0d76ecad")
    var head = ChainHead.genesis
    var lines = ChainedLines()
    lines.append(Array("\"record\":\"outcome\"}".utf8), after: &head)
    #expect(head.text == "sha256:bd2c878271052478a8654aecb4e035bd5795d2fc9db372b943f2d6d101a11b97")
    lines.append(Array("\"record\":\"outcome\"}".utf8), after: &head)
    #expect(head.text == "sha256:14290e6fba8086bd61640b23d5db9b25bd7949668bf9a947d869b68aa1f5cfd9")
    #expect(head.sequence == 2)
    #expect(
      lines.withBytes { String(decoding: $0, as: UTF8.self) } == """
        {"sequence":1,"previous":"sha256:1fd1b0a16519796f5b5643de0d0cfddec45bf80ebbe06530862584ac0d76ecad",\
        "recordVersion":1,"record":"outcome"}
        {"sequence":2,"previous":"sha256:bd2c878271052478a8654aecb4e035bd5795d2fc9db372b943f2d6d101a11b97",\
        "recordVersion":1,"record":"outcome"}

        """)
  }

  @Test func untouchedJournalIsGood() {
    let chain = Chain(records: 12)
    let (problem, extent) = chain.verify(chain.lines, mark: 12)
    #expect(problem == nil)
    #expect(extent.records == 12)
    #expect(extent.head == chain.heads[12])
  }

  @Test func alteringAnyByteNamesThatRecord() {
    let chain = Chain(records: 4)
    for (index, line) in chain.lines.enumerated() {
      for offset in line.indices {
        var lines = chain.lines
        lines[index][offset] ^= 1
        let problem = chain.verify(lines, mark: 4).problem
        #expect(
          problem?.sequence == index + 1,
          "byte \(offset) of record \(index + 1): \(String(describing: problem))")
        #expect(problem?.line == index + 1)
      }
    }
  }

  @Test func addingOrRemovingBytesIsFound() {
    let chain = Chain(records: 3)
    for index in chain.lines.indices {
      for offset in chain.lines[index].indices {
        var lines = chain.lines
        lines[index].remove(at: offset)
        #expect(chain.verify(lines, mark: 3).problem?.sequence == index + 1)
        lines = chain.lines
        lines[index].insert(UInt8(ascii: " "), at: offset)
        #expect(chain.verify(lines, mark: 3).problem?.sequence == index + 1)
      }
    }
  }

  @Test func removingAnyRecordIsFound() {
    let chain = Chain(records: 6)
    for index in chain.lines.indices {
      var lines = chain.lines
      lines.remove(at: index)
      #expect(chain.verify(lines, mark: 6).problem?.sequence == index + 1)
    }
  }

  @Test func cuttingOffTheEndIsFoundByTheMark() {
    let chain = Chain(records: 6)
    for kept in 0..<6 {
      let problem = chain.verify(Array(chain.lines[..<kept]), mark: 6).problem
      #expect(problem?.kind == .cutOff(last: kept))
      #expect(problem?.sequence == kept + 1)
      // An older mark promises less, as after a crash.
      #expect(chain.verify(Array(chain.lines[..<kept]), mark: kept).problem == nil)
    }
  }

  @Test func swappingAnyTwoRecordsIsFound() {
    let chain = Chain(records: 5)
    for first in 0..<5 {
      for second in first + 1..<5 {
        var lines = chain.lines
        lines.swapAt(first, second)
        #expect(chain.verify(lines, mark: 5).problem?.sequence == first + 1)
      }
    }
  }

  @Test func doublingAnyRecordIsFound() {
    let chain = Chain(records: 5)
    for index in 0..<5 {
      var lines = chain.lines
      lines.insert(lines[index], at: index)
      #expect(chain.verify(lines, mark: 5).problem?.kind == .otherRecord(found: index + 1))
    }
  }

  @Test func emptyLinesAreFound() {
    let chain = Chain(records: 3)
    for index in 0...3 {
      var lines = chain.lines
      lines.insert([], at: index)
      #expect(chain.verify(lines, mark: 3).problem?.kind == .noRecord)
    }
  }

  @Test func forgedContinuationIsFoundByTheMark() {
    let chain = Chain(records: 3)
    var forged = Chain(records: 2)
    forged.append("\"record\":\"outcome\",\"requestId\":\"forged\"}")
    #expect(chain.verify(forged.lines, mark: 3).problem?.kind == .otherThanMarked)
  }

  @Test func segmentsMustFollowOneAnother() {
    let chain = Chain(records: 4)
    var verifier = ChainVerifier(from: 1, after: .genesis, mark: nil)
    #expect(verifier.begin(SegmentName(firstSequence: 1)) == nil)
    for line in chain.lines[..<2] { #expect(verifier.take(whole: line) == nil) }
    var other = verifier
    #expect(other.begin(SegmentName(firstSequence: 4))?.kind == .missing(next: 4))
    #expect(verifier.begin(SegmentName(firstSequence: 3)) == nil)
    for line in chain.lines[2...] { #expect(verifier.take(whole: line) == nil) }
    #expect(verifier.finish() == nil)
    #expect(verifier.extent.segments == 2)
    #expect(verifier.extent.head == chain.heads[4])
  }

  @Test func unknownVersionIsRefusedAndNamed() {
    let chain = Chain(records: 3)
    for (version, found) in [("2", 2), ("999", 999)] {
      var lines = chain.lines
      let text = String(decoding: lines[1], as: UTF8.self)
      let parts = text.split(separator: #""recordVersion":1,"#)
      lines[1] = Array((parts[0] + #""recordVersion":"# + version + "," + parts[1]).utf8)
      let problem = chain.verify(lines, mark: 3).problem
      #expect(problem?.kind == .unknownVersion(found))
      #expect(problem?.sequence == 2)
      #expect(
        problem?.message.contains("has recordVersion \(version), which this version of gatehouse") == true)
    }
  }

  @Test func recordsOfTheFirstReleaseAreRead() {
    // They have no version; the digest covers the whole line then as now.
    let first = Array(#"{"sequence":1,"previous":"\#(ChainHead.genesis.text)","record":"outcome"}"#.utf8)
    var lines = ChainedLines()
    var head = ChainHead(sequence: 1, digest: SHA256.digest(first))
    lines.append(Array(#""record":"outcome"}"#.utf8), after: &head)
    var verifier = ChainVerifier(from: 1, after: .genesis, mark: HeadMark(head: head, base: .genesis))
    #expect(verifier.take(whole: first) == nil)
    #expect(verifier.take(whole: lines.withBytes { Array($0.dropLast()) }) == nil)
    #expect(verifier.finish() == nil)
  }

  @Test func tornLineSaysWhetherItHadBeenWhole() {
    let chain = Chain(records: 3)
    for (marked, expected) in [
      (1, ChainProblem.Kind.torn(bytes: 9, wasWhole: false)), (2, .torn(bytes: 9, wasWhole: true)),
      (3, .cutOff(last: 1)),
    ] {
      var verifier = ChainVerifier(
        from: 1, after: .genesis, mark: HeadMark(head: chain.heads[marked], base: .genesis))
      #expect(verifier.take(whole: chain.lines[0]) == nil)
      let problem = verifier.finish(tornAfter: 9)
      #expect(problem.kind == expected)
      #expect(problem.sequence == 2)
    }
  }
}

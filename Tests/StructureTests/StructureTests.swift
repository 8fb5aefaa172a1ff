import Foundation
import Testing

/// The architecture, as far as a test can see it: what a target is allowed to import, and a few habits.
@Suite struct StructureTests {
  let rules: StructureRules

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    rules = StructureRules(tree: try SourceTree(readingFrom: root))
  }

  @Test func theManifestAndTheSourcesWereUnderstood() {
    #expect(rules.tree.cLibraries.isSuperset(of: ["CJansson", "CPCRE2", "COpenSSL", "CLibevent"]))
    #expect(rules.tree.dependencies["SigV4"]?.contains("OpenSSLCrypto") == true)
    #expect(rules.tree.dependencies["Primitives"]?.isEmpty == true)
    #expect(rules.tree.files.count > 50)
    #expect(Set(rules.tree.files.map(\.target)).isSubset(of: rules.tree.dependencies.keys))
  }

  @Test func everyTargetHasItsKindAndUsesOnlyLowerOnes() { expectNone(rules.arrows()) }
  @Test func everyFileImportsOnlyWhatItsTargetMay() throws { try expectNone(rules.imports()) }
  @Test func pureTargetsTakeTimeAndEntropyAsParameters() throws { try expectNone(rules.purity()) }
  @Test func nothingIsPrintedButByConsoleAndLog() throws { try expectNone(rules.output()) }
  @Test func filesAreMadeWhereNoLinkIsFollowed() throws { try expectNone(rules.fileMaking()) }
  @Test func noFileIsTooLongToRead() { expectNone(rules.lengths()) }
  @Test func nothingTrapsOnInput() throws { try expectNone(rules.habits()) }
  @Test func nothingIsLeftUnfinished() throws { try expectNone(rules.leftovers()) }
  @Test func whatTheCompilerMustBelieveIsExplained() throws { try expectNone(rules.justifications()) }
  @Test func whatIsShippedCannotServeWithoutAJournal() throws { try expectNone(rules.unaudited()) }

  private func expectNone(_ findings: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings { Issue.record(Comment(rawValue: finding), sourceLocation: sourceLocation) }
  }
}

/// The rules would be worth nothing if they never found anything.
@Suite struct StructureRuleTests {
  static func rules(_ text: String, in target: String = "SigV4") throws -> StructureRules {
    var tree = SourceTree()
    tree.cLibraries = ["CJansson", "COpenSSL"]
    tree.dependencies = [
      "Primitives": [], "OpenSSLCrypto": ["Primitives", "COpenSSL"],
      "SigV4": ["Primitives", "OpenSSLCrypto"],
      "Gateway": ["SigV4", "Logging"],
    ]
    tree.files = [try SourceFile(path: "Sources/\(target)/X.swift", target: target, text: text)]
    return StructureRules(tree: tree)
  }

  @Test(arguments: [
    "import Foundation", "package import FoundationEssentials", "internal import Glibc", "import Dispatch",
    "@preconcurrency import Foundation", "import struct Foundation.Date", "import COpenSSL",
    "import HTTPWire",
    "import Gateway", "import Logging",
  ])
  func aCoreTargetMayNotImport(_ line: String) throws {
    #expect(try Self.rules("/// x\n\(line)\n").imports().count == 1)
  }

  @Test(arguments: [
    "import Primitives", "package import OpenSSLCrypto", "internal import Synchronization",
    "// import Foundation",
    "let x = \"import Foundation\"",
  ])
  func aCoreTargetMay(_ line: String) throws {
    #expect(try Self.rules(line).imports().isEmpty)
  }

  @Test func anArrowUpwardsIsFound() throws {
    for (target, dependency) in [
      ("Primitives", "SigV4"), ("SigV4", "Gateway"), ("OpenSSLCrypto", "CJansson"), ("SigV4", "Logging"),
      ("OpenSSLCrypto", "OpenSSLCrypto"), ("Newcomer", "Primitives"),
    ] {
      var tree = try Self.rules("").tree
      tree.dependencies[target, default: []].insert(dependency)
      #expect(StructureRules(tree: tree).arrows().count == 1, "\(target) → \(dependency)")
    }
    #expect(try Self.rules("").arrows().isEmpty)
  }

  @Test func shippedWayRoundTheJournalIsFound() throws {
    var tree = try Self.rules("let journal = Journal.discarding(entropy: x)", in: "Gateway").tree
    tree.dependencies["gatehouse"] = ["Gateway"]
    tree.dependencies["UnauditedGateway"] = ["Gateway"]
    #expect(try StructureRules(tree: tree).unaudited().count == 1)
    tree.files = [try SourceFile(path: "x", target: "UnauditedGateway", text: "x(.discarding(entropy: y))")]
    #expect(try StructureRules(tree: tree).unaudited().isEmpty, "the benchmark may")
    tree.dependencies["Gateway"] = ["UnauditedGateway"]
    #expect(try StructureRules(tree: tree).unaudited().count == 2, "a shipped target that uses it")
  }

  @Test(arguments: [
    "let now = ContinuousClock().now", "x.randomElement()", "Int.random(in: 0...1)", "print(x)",
    "try await Task.sleep(for: .seconds(1))", "Task { }",
  ])
  func impureCodeIsFound(_ line: String) throws {
    #expect(try Self.rules(line).purity().count == 1)
    #expect(try Self.rules(line, in: "Gateway").purity().isEmpty)
  }

  @Test(arguments: [
    "print(x)", "write(STDOUT_FILENO, x, 1)", "let e = FileHandle.standardError", "fputs(x, stderr)",
    "Gatehouse.exit(withError: error)",
  ])
  func anotherWayOutIsFound(_ line: String) throws {
    #expect(try Self.rules(line, in: "gatehouse").output().count == 1)
    var tree = try Self.rules("").tree
    tree.files = [
      try SourceFile(path: "Sources/gatehouse/Edges/Console.swift", target: "gatehouse", text: line)
    ]
    #expect(try StructureRules(tree: tree).output().isEmpty)
  }

  @Test func makingAFileThroughALinkIsFound() throws {
    for line in ["open(x, O_WRONLY | O_CREAT, 0o600)", "let flags = O_TRUNC", "fopen(x, y)"] {
      #expect(try Self.rules(line, in: "gatehouse").fileMaking().count == 1)
    }
    for line in ["open(x, O_CREAT | O_EXCL, 0o600)", "open(x, O_NOFOLLOW)", "// O_TRUNC"] {
      #expect(try Self.rules(line, in: "gatehouse").fileMaking().isEmpty, "\(line)")
    }
  }

  @Test(arguments: ["printer.print(x)", "func print(_ x: Int)", "// print(x)", "Console.data(x)"])
  func whatOnlyLooksLikePrintingIsNot(_ line: String) throws {
    #expect(try Self.rules(line, in: "gatehouse").output().isEmpty)
  }

  @Test(arguments: ["blueprint(x)", "x.print(y)", "Int.random(in: 0...1, using: &entropy)", "// print(x)"])
  func whatOnlyLooksImpureIsNot(_ line: String) throws {
    #expect(try Self.rules(line).purity().isEmpty)
  }

  @Test(arguments: [
    "let x = try! f()", "x as! Int", "fatalError()", "public struct X {}", "enum SigV4 {}",
  ])
  func badHabitsAreFound(_ line: String) throws {
    #expect(try Self.rules(line).habits().count == 1)
  }

  @Test func habitsInStringsAndCommentsAreNone() throws {
    #expect(try Self.rules("let x = \"try! \\\" as! \" // never try!\nstruct SigV4Scope {}").habits().isEmpty)
  }

  @Test func whatIsLeftForLaterIsFound() throws {
    #expect(try Self.rules("f()  // TO" + "DO: later").leftovers() == ["Sources/SigV4/X.swift:1: TO" + "DO"])
  }

  @Test func beliefNeedsAReason() throws {
    #expect(try Self.rules("nonisolated(unsafe) let x = 1").justifications().count == 1)
    #expect(try Self.rules("// why\n\nfinal class X: @unchecked Sendable {}").justifications().count == 1)
    let reasoned = "// Never written.\nnonisolated(unsafe) let x = 1\nnonisolated(unsafe) let y = 1"
    #expect(try Self.rules(reasoned).justifications().isEmpty)
  }

  @Test func aLongFileIsFound() throws {
    #expect(try Self.rules(String(repeating: "x\n", count: 401)).lengths().count == 1)
    #expect(try Self.rules(String(repeating: "x\n", count: 400)).lengths().isEmpty)
  }
}

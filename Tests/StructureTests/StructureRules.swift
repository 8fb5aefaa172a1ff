/// The rules of the house, each giving what breaks it as `path:line: what is wrong`.
struct StructureRules {
  static let kinds: [String: Kind] = [
    "Primitives": .base, "CEmptyICUData": .base,
    "OpenSSLCrypto": .wrapper, "StrictJSON": .wrapper, "Patterns": .wrapper, "Gzip": .wrapper,
    "XML": .wrapper,
    "HTTPWire": .core, "SigV4": .core, "ChimeIdentity": .core, "Configuration": .core, "PolicyEngine": .core,
    "PolicyTrials": .core, "CredentialSources": .core,
    "RateLimiting": .core, "RedisWire": .core, "SharedLimits": .core, "AuditTrail": .core,
    "PolicyReplay": .core, "AuditReconciliation": .core,
    "UserScan": .core, "PolicyLearning": .core,
    "Threads": .edge, "Transport": .edge, "AuditStore": .edge, "AuditIndex": .edge, "AuditBrowsing": .edge,
    "AuditShipping": .edge,
    "AuditExport": .edge, "FileWriting": .edge, "ServiceManager": .edge, "CredentialSupply": .edge,
    "LimitStore": .edge,
    "Gateway": .edge,
    "Admin": .edge, "Sandbox": .edge,
    "gatehouse": .executable, "JournalGenerator": .executable, "UnauditedGateway": .executable,
    "PolicyBench": .executable, "Fuzzer": .tests, "FuzzTargets": .tests, "TestSupport": .tests,
  ]

  /// Who may import each C library. Transport has OpenSSL too, because a TLS session and its socket are one thing.
  static let owners: [String: Set<String>] = [
    "CGlibc": ["Threads", "CredentialSupply"], "CJansson": ["StrictJSON", "TestSupport"],
    "CPCRE2": ["Patterns"],
    "COpenSSL": ["OpenSSLCrypto", "Transport"],
    "CLibevent": ["Transport"], "CLibpq": ["AuditShipping"],
    "CZlib": ["Gzip"], "CExpat": ["XML"],
  ]

  static let longestFile = 400

  let tree: SourceTree

  func kind(_ name: String) -> Kind? {
    tree.cLibraries.contains(name) ? .cLibrary : Self.kinds[name]
  }

  /// Every target stands in the table above, and its arrows point downwards.
  func arrows() -> [String] {
    var found: [String] = []
    for (target, dependencies) in tree.dependencies {
      guard let own = kind(target) else {
        found.append("Package.swift: \(target) is of no kind; enter it in StructureRules.kinds")
        continue
      }
      for dependency in dependencies {
        guard let other = kind(dependency) else {
          // A product of another package, which only edges may use.
          if own < .edge { found.append("Package.swift: \(target) uses the package product \(dependency)") }
          continue
        }
        if other == .cLibrary {
          if Self.owners[dependency]?.contains(target) != true {
            found.append("Package.swift: \(target) uses \(dependency), which is not its own")
          }
        } else if other > own || (other == own && own <= .wrapper) {
          found.append("Package.swift: \(target) (\(own)) uses \(dependency) (\(other))")
        }
      }
    }
    return found.sorted()
  }

  /// What a file imports is what its target declares; pure targets import nothing from outside the package.
  func imports() throws -> [String] {
    let form = try Finder(
      #"^\s*(?:@\w+\s+)*(?:(?:package|internal|private|fileprivate|public)\s+)?import\s+"#
        + #"(?:(?:struct|class|enum|func|var|let|protocol|typealias)\s+)?(\w+)"#)
    return findings(of: form) { file, module in
      let isPure = [.base, .core].contains(kind(file.target))
      if kind(module) == .cLibrary {
        return Self.owners[module]?.contains(file.target) == true
          ? nil : "imports \(module), which is not its own"
      }
      if kind(module) != nil {
        return tree.dependencies[file.target]?.contains(module) == true ? nil : "imports \(module) undeclared"
      }
      return isPure && module != "Synchronization" ? "imports \(module), but must be pure" : nil
    }
  }

  /// Pure code takes time and entropy as parameters, starts no tasks and does no output.
  func purity() throws -> [String] {
    let impure = try Finder(
      #"\b(?:ContinuousClock|SuspendingClock|SystemRandomNumberGenerator|CommandLine)\b"#
        + #"|\bTask\.(?:sleep|detached)|\bTask\s*\{"#
        + #"|\.(?:random\(in:[^,)]*\)|randomElement\(\)|shuffled\(\))"#
        + #"|(?<![.\w])(?:print|debugPrint|readLine)\("#)
    return findings(of: impure) { file, code in
      [.base, .core].contains(kind(file.target)) ? "`\(code)` in pure code" : nil
    }
  }

  /// What is printed leaves in one place for the commands and in one for the log, where nothing that a terminal would
  /// act on gets through. (Child processes get descriptors of their own.)
  func output() throws -> [String] {
    let printing = try Finder(
      #"\b(?:STDOUT_FILENO|STDERR_FILENO|FileHandle|StandardError|TextOutputStream)\b"#
        + #"|(?<![.\w])(?<!func )(?:print|debugPrint|dump|puts|fputs|printf|fprintf|vprintf|putchar|perror)\("#
        + #"|\.exit\(withError:|\.main\(\)|"/dev/(?:stdout|stderr|tty)""#)
    return findings(of: printing) { file, code in
      let isWayOut = Self.waysOut.contains(file.path)
      let isShipped = kind(file.target) != .executable || file.target == "gatehouse"
      return isWayOut || !isShipped ? nil : "`\(code)`: print with Console, log with LogSink"
    }
  }

  private static let waysOut: Set<String> = [
    "Sources/gatehouse/Edges/Console.swift", "Sources/gatehouse/Edges/ChildProcess.swift",
    "Sources/gatehouse/Edges/Pager.swift",
    "Sources/CredentialSupply/ProgramRun.swift",
    "Sources/Gateway/Telemetry/LogSink.swift",
  ]

  /// Files are made where no link is followed; nobody's file is emptied by opening it.
  func fileMaking() throws -> [String] {
    let making = try Finder(
      #"^.*\bO_CREAT\b(?!.*\bO_(?:EXCL|NOFOLLOW)\b).*$|\bO_TRUNC\b|\b(?:fopen|creat|freopen)\("#
        + #"|\bFileManager\b"#)
    return findings(of: making) { file, code in
      let isShipped = kind(file.target) != .executable || file.target == "gatehouse"
      return isShipped ? "`\(code.drop { $0 == " " })` follows links; see FileWriting" : nil
    }
  }

  /// Files that people write; what a script generates is as long as it is.
  func lengths() -> [String] {
    tree.files.filter { $0.lines.count > Self.longestFile + 1 && !$0.path.contains("/Generated/") }
      .map { "\($0.path): \($0.lines.count - 1) lines; split it at \(Self.longestFile)" }
  }

  /// Nothing that traps on what it should handle, nothing open to other packages, no type named as its module. (A
  /// `public import` opens nothing by itself, and `@inlinable` code may use only what was imported so.)
  func habits() throws -> [String] {
    let banned = try Finder(
      #"\btry!|\bas!|\bfatalError\(|\.unsafelyUnwrapped|"#
        + #"^\s*(?:public|open) +(?:final|class|struct|enum|actor|protocol|extension|func|var|let|init|static)\b"#
    )
    let types = try Finder(#"\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)"#)
    return findings(of: banned) { _, code in "`\(code)`" }
      + findings(of: types) { file, name in name == file.target ? "a type named as its module" : nil }
  }

  /// Nothing is left for later, not even in comments.
  func leftovers() throws -> [String] {
    let unfinished = try Finder(#"\b(?:TODO|FIXME|XXX|HACK)\b"#)
    return tree.files.flatMap { file in
      unfinished.findings(in: file.text).map { "\(file.path):\($0.line): \($0.text)" }
    }
  }

  /// What the compiler is told to believe has its reason in a comment in the same paragraph.
  func justifications() throws -> [String] {
    let believed = try Finder(
      #"@unchecked\s+Sendable|nonisolated\(unsafe\)|\bunsafeBitCast\b|\bassumeIsolated\b"#)
    return tree.files.flatMap { file in
      believed.findings(in: file.code).compactMap { line, code in
        let paragraph = file.lines[..<line].reversed().prefix { !$0.allSatisfy(\.isWhitespace) }
        return paragraph.contains { $0.contains("//") }
          ? nil : "\(file.path):\(line): `\(code)` without a comment that says why it is safe"
      }
    }
  }

  /// What is shipped journals whatever it forwards: it has no part of the programs that measure, and nothing in it asks
  /// for the journal that forgets.
  func unaudited() throws -> [String] {
    var reachable: Set<String> = []
    var next = ["gatehouse"]
    while let target = next.popLast() {
      guard reachable.insert(target).inserted else { continue }
      next += tree.dependencies[target] ?? []
    }
    let programs = reachable.filter { $0 != "gatehouse" && kind($0) == .executable }.sorted()
    let call = try Finder(#"\.discarding\b|\bdiscardingAs\b"#)
    return programs.map { "Package.swift: gatehouse uses \($0)" }
      + findings(of: call) { file, code in
        reachable.contains(file.target) && file.path != Self.journal
          ? "`\(code)`: a journal that forgets" : nil
      }
  }

  /// Where the journal that forgets is declared.
  private static let journal = "Sources/AuditStore/Journal.swift"

  private func findings(of finder: Finder, _ judge: (SourceFile, String) -> String?) -> [String] {
    tree.files.flatMap { file in
      finder.findings(in: file.code).compactMap { line, text in
        judge(file, text).map { "\(file.path):\(line): \($0)" }
      }
    }
  }
}

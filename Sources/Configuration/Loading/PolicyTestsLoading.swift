internal import Primitives
internal import StrictJSON

/// The test files that a search found.
package struct TestFileSearch: Sendable {
  /// In the order of their names, folder by folder.
  package fileprivate(set) var files: [String] = []
  /// Folders that were not looked into, and why.
  package fileprivate(set) var skipped: [(folder: String, reason: String)] = []
  /// By identity, so that a link back up is not followed round and round.
  fileprivate var entered: Set<String> = []
}

extension ConfigurationLoader {
  private static let testEnding = ".test.json"

  /// The test files of a path in the order of their names: the file itself, or those of a folder and of the folders
  /// in it. A folder further down that holds policies other than those under test is a set of its own, and its tests
  /// are about that.
  ///
  /// - Parameter policies: the folder of the policies under test, which is looked into wherever it lies.
  package func testFiles(at path: String, policies: String) throws(FileFault) -> TestFileSearch {
    var search = TestFileSearch()
    do {
      _ = try files.names(in: path)
    } catch {
      guard error == .notADirectory else { throw error }
      search.files = [path]
      return search
    }
    let underTest = try? files.identity(of: policies)
    try searchForTests(in: path, underTest, isTop: true, &search)
    return search
  }

  private func searchForTests(
    in folder: String, _ underTest: String?, isTop: Bool = false, _ search: inout TestFileSearch
  ) throws(FileFault) {
    let names: [String]
    let identity: String
    do {
      names = try files.names(in: folder).sorted { Text($0) < Text($1) }
      identity = try files.identity(of: folder)
    } catch {
      switch error {
      case .notADirectory, .missing: return
      case .linkLoop:
        search.skipped.append((folder, error.message))
        return
      default: throw error
      }
    }
    if !isTop, identity != underTest, let policy = names.first(where: isPolicyFile) {
      search.skipped.append(
        (folder, "it holds \(quoted(policy)), and so is a set of policies of its own"))
      return
    }
    guard search.entered.insert(identity).inserted else { return }
    for name in names where !name.hasPrefix(".") {
      let path = join(folder, name)
      if name.hasSuffix(Self.testEnding) {
        search.files.append(path)
      } else {
        try searchForTests(in: path, underTest, &search)
      }
    }
  }

  /// One file of policy test cases.
  ///
  /// - Parameter knownRules: the ids that a violation can have.
  package func policyTests(at path: String, knownRules: [String]) -> (PolicyTestFile?, [Problem]) {
    let reading = Reading(file: path, directory: "", environment: nil)
    let form = PolicyTestFile.form(knownOperations: knownOperations, knownRules: knownRules)
    let cases = read(path, reading).flatMap { parse($0.bytes, as: form, reading) }
    guard !reading.problems.hasErrors, let cases else { return (nil, reading.sortedProblems) }
    return (PolicyTestFile(file: path, cases: cases), reading.sortedProblems)
  }
}

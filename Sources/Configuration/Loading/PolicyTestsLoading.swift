internal import Primitives
internal import StrictJSON

extension ConfigurationLoader {
  private static let testEnding = ".test.json"

  /// The test files of a path in the order of their names: the file itself, or those of a folder and of the folders
  /// in it. A folder further down that holds policies is a set of its own, and its tests are about that.
  package func testFiles(at path: String) throws(FileFault) -> [String] {
    let names: [String]
    do {
      names = try files.names(in: path)
    } catch {
      guard error == .notADirectory else { throw error }
      return [path]
    }
    return try testFiles(named: names, in: path)
  }

  private func testFiles(named names: [String], in folder: String) throws(FileFault) -> [String] {
    var found: [String] = []
    for name in names.sorted(by: { Text($0) < Text($1) }) where !name.hasPrefix(".") {
      let path = join(folder, name)
      if name.hasSuffix(Self.testEnding) {
        found.append(path)
      } else if let inner = try innerFolder(path), !inner.contains(where: isPolicyFile) {
        found += try testFiles(named: inner, in: path)
      }
    }
    return found
  }

  /// The names in a folder; `nil` when the path is no folder.
  private func innerFolder(_ path: String) throws(FileFault) -> [String]? {
    do {
      return try files.names(in: path)
    } catch {
      if error == .notADirectory || error == .missing { return nil }
      throw error
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

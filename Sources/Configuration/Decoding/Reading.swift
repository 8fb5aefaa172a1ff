internal import StrictJSON

/// The reading of one file: where it stands, what its strings may refer to, and what was found wrong so far.
final class Reading {
  let file: String
  /// What relative paths are relative to; empty: the working directory.
  let directory: String
  /// `nil`: `${ENV:NAME}` has no meaning in this kind of file.
  let environment: EnvironmentReferences?
  private(set) var problems: [Problem] = []
  /// Where secrets stand in the file itself.
  private(set) var writtenSecrets: [SourcePosition] = []
  /// Of the files that this one names.
  var certificates: [CertificateFile] = []

  init(file: String, directory: String, environment: EnvironmentReferences?) {
    self.file = file
    self.directory = directory
    self.environment = environment
  }

  func error(at position: SourcePosition, _ message: String) {
    problems.append(Problem(file: file, position: position, message: message))
  }

  /// Of a file that this one names.
  func add(_ problem: Problem) { problems.append(problem) }

  func warning(at position: SourcePosition, _ message: String) {
    problems.append(Problem(file: file, position: position, severity: .warning, message: message))
  }

  /// To be told of each secret; one that is nothing but `${ENV:NAME}` does not stand in the file.
  func noteSecret(_ written: String, at position: SourcePosition) {
    if !isEnvironmentReference(written) { writtenSecrets.append(position) }
  }

  /// From the top of the file to its end.
  var sortedProblems: [Problem] {
    // Stable, so that what was found first at a place comes first.
    problems.enumerated().sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
      .map(\.element)
  }

  /// The file's path as the edge can open it.
  func resolve(_ path: String) -> String { join(directory, path) }

  /// The text with `${ENV:NAME}` replaced; `nil`, and a problem, when a variable is not set.
  func substitute(_ text: String, at position: SourcePosition) -> String? {
    guard let environment, text.contains("${ENV:") else { return text }
    var out = ""
    var rest = text[...]
    var complete = true
    while let start = rest.firstRange(of: "${ENV:") {
      out += rest[..<start.lowerBound]
      rest = rest[start.upperBound...]
      guard let end = rest.firstIndex(of: "}") else {
        error(at: position, "expected a closing } after ${ENV:")
        return nil
      }
      let name = String(rest[..<end])
      if let value = environment.value(of: name) {
        out += value
      } else {
        error(at: position, "environment variable \(quoted(name)) is not set")
        complete = false
      }
      rest = rest[rest.index(after: end)...]
    }
    return complete ? out + rest : nil
  }
}

extension Sequence<Problem> {
  /// Whether any of them is an error.
  package var hasErrors: Bool { contains { $0.severity == .error } }

  /// Whether any of them stands in the way of putting the files in force.
  package var preventUse: Bool { contains(where: \.preventsUse) }
}

/// Whether a string of a file is nothing but `${ENV:NAME}`.
func isEnvironmentReference(_ text: String) -> Bool {
  text.hasPrefix("${ENV:") && text.firstIndex(of: "}") == text.indices.last
}

/// `path` seen from `directory`.
func join(_ directory: String, _ path: String) -> String {
  if path.hasPrefix("/") || directory.isEmpty { return path }
  return directory.hasSuffix("/") ? directory + path : directory + "/" + path
}

/// The folder part of a path; empty when it has none.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "" }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

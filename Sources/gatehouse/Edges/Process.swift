@preconcurrency import Glibc

/// What this process was started with.
enum Process {
  /// Entries that are not UTF-8 are left out: no configuration can name them.
  static let environment: [String: String] = {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      if let pair = String(validatingCString: text), let equals = pair.firstIndex(of: "=") {
        variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      entry += 1
    }
    return variables
  }()
}

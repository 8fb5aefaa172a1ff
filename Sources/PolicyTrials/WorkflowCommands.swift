internal import Configuration
internal import StrictJSON

extension ReviewFinding {
  /// The workflow command by which GitHub Actions annotates the file: `::error file=…,line=…,col=…,title=…::MESSAGE`.
  /// - Parameter folder: what paths are told from; GitHub takes those from the repository's root.
  package func workflowCommand(in folder: String) -> String {
    let properties = [
      ("file", path(from: folder)), ("line", "\(position.line)"), ("col", "\(position.column)"),
      ("title", title),
    ]
    let written = properties.map { "\($0)=\(Self.escaped($1, isProperty: true))" }.joined(separator: ",")
    return "::\(severity.rawValue) \(written)::\(Self.escaped(message, isProperty: false))"
  }

  /// As the runner reads it back: a message ends with its line, a property also at a comma; without this a value of a
  /// policy could begin another command.
  private static func escaped(_ text: String, isProperty: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": out += "%25"
      case "\r": out += "%0D"
      case "\n": out += "%0A"
      case ":" where isProperty: out += "%3A"
      case "," where isProperty: out += "%2C"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The file as seen from a folder, where it lies in it; else as it was given.
  func path(from folder: String) -> String {
    let prefix = folder.hasSuffix("/") ? folder : folder + "/"
    var path = file.hasPrefix(prefix) ? String(file.dropFirst(prefix.count)) : file
    while path.hasPrefix("./") { path.removeFirst(2) }
    return path
  }
}

package import StrictJSON

/// Something wrong in a file, for the person who must mend it.
package struct Problem: Error, Sendable, Hashable {
  package enum Severity: String, Sendable { case error, warning }

  package let file: String
  package let position: SourcePosition
  package let severity: Severity
  package let message: String

  package init(file: String, position: SourcePosition, severity: Severity = .error, message: String) {
    self.file = file
    self.position = position
    self.severity = severity
    self.message = message
  }

  /// `file:line:column: error: message`
  package var line: String {
    "\(file):\(position.line):\(position.column): \(severity.rawValue): \(message)"
  }
}

package import StrictJSON

/// Something wrong in a file, for the person who must mend it.
package struct Problem: Error, Sendable, Hashable {
  package enum Severity: String, Sendable { case error, warning }

  package let file: String
  package let position: SourcePosition
  package let severity: Severity
  package let message: String
  /// Whether it is so for certain tenants only. Policies can be in force in spite of such an error: those tenants'
  /// requests are refused, and what one team writes about its tenant stops no other's.
  package let isAboutTenants: Bool

  package init(
    file: String, position: SourcePosition, severity: Severity = .error, isAboutTenants: Bool = false,
    message: String
  ) {
    self.file = file
    self.position = position
    self.severity = severity
    self.isAboutTenants = isAboutTenants
    self.message = message
  }

  /// Whether it stands in the way of putting the file in force.
  package var preventsUse: Bool { severity == .error && !isAboutTenants }

  /// `file:line:column: error: message`
  package var line: String {
    "\(file):\(position.line):\(position.column): \(severity.rawValue): \(message)"
  }
}

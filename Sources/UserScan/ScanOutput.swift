internal import ChimeIdentity
internal import Configuration
internal import PolicyEngine
internal import Primitives
internal import StrictJSON

extension ScanFinding {
  /// One object on one line.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("appInstanceUserArn")
    writer.string(user.arn.text)
    writer.key("appInstanceUserId")
    writer.string(user.arn.resourceId ?? "")
    if let tenant {
      writer.key("tenant")
      writer.string(tenant)
    }
    writer.key("violations")
    writer.write(violations)
    writer.key("warnings")
    writer.write(warnings)
    writer.endObject()
    return writer.bytes
  }

  /// The user, and below it what is wrong, so that a ticket can be made of it.
  package var lines: [String] {
    [user.arn.text.onOneLine + (tenant.map { " (tenant \($0.onOneLine))" } ?? "")]
      + violations.map { "  violation: \(Self.line($0))" } + warnings.map { "  warning: \(Self.line($0))" }
  }

  private static func line(_ found: Violation) -> String {
    let severity = found.severity.map { " [\($0.rawValue)]" } ?? ""
    let owner = found.owner.map { "; owner: \($0.onOneLine)" } ?? ""
    let exception = found.exception.map { "; exception: \($0.onOneLine)" } ?? ""
    return "\(found.policy.onOneLine)\(severity): \(found.rule): \(found.field.onOneLine): "
      + "\(found.message.onOneLine)\(owner)\(exception)"
  }
}

extension ScanTally {
  /// `{"summary":{…}}`
  package func summaryJSON(isComplete: Bool) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("summary")
    writer.beginObject()
    writeNumbers(to: &writer)
    writer.key("complete")
    writer.boolean(isComplete)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  package func summary(isComplete: Bool) -> [String] {
    var lines = sortedRules.map { rule, users in
      "\(rule.policy.onOneLine): \(rule.rule.onOneLine): "
        + "\(Self.count(users, "user"))\(rule.isWarning ? " (warn)" : "")"
    }
    var parts = ["\(breaking) break what is enforced"]
    if warned > 0 { parts.append("\(warned) break policies in warn only") }
    if withoutTenant > 0 { parts.append("\(withoutTenant) without a tenant, so without rules by tenant") }
    if failed > 0 { parts.append("\(failed) could not be read") }
    if unlisted > 0 {
      parts.append("the users of \(Self.count(unlisted, "AppInstance")) could not be listed")
    }
    lines.append(
      "\(Self.count(users, "user")) scanned\(isComplete ? "" : ", and not all"): \(parts.joined(separator: ", "))"
    )
    return lines
  }

  private static func count(_ number: Int, _ unit: String) -> String {
    "\(number) \(unit)\(number == 1 ? "" : "s")"
  }
}

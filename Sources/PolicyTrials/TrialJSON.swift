internal import Configuration
internal import PolicyEngine
internal import StrictJSON

extension TrialResult {
  /// One object on one line.
  package func json() -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("name")
    writer.string(trial.name)
    writer.key("file")
    writer.string(file)
    writer.key("line")
    writer.integer(trial.position.line)
    writer.key("passed")
    writer.boolean(hasPassed)
    writer.key("decision")
    writer.string(decision.rawValue)
    if let message {
      writer.key("message")
      writer.string(message)
    }
    writer.key("violations")
    writer.write(outcome.violations)
    writer.key("warnings")
    writer.write(outcome.warnings)
    if !outcome.wouldChange.isEmpty {
      writer.key("wouldChange")
      writer.write(outcome.wouldChange)
    }
    writer.key("changes")
    writer.write(changes)
    writer.key("failures")
    writer.beginArray()
    for failure in failures { writer.string(failure) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension TrialRun {
  /// `{"summary":{…}}`
  package func summaryJSON() -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("summary")
    writer.beginObject()
    writer.key("tests")
    writer.integer(results.count)
    writer.key("passed")
    writer.integer(passed)
    writer.key("failed")
    writer.integer(failed)
    writer.key("unreadable")
    writer.beginArray()
    for file in unreadable { writer.string(file.file) }
    writer.endArray()
    writer.key("coverage")
    writer.beginObject()
    writer.key("rules")
    writer.integer(rules.count)
    writer.key("covered")
    writer.integer(rules.count - uncovered.count)
    writer.key("uncovered")
    writer.beginArray()
    for rule in uncovered {
      writer.beginObject()
      writer.key("policy")
      writer.string(rule.policy)
      writer.key("rule")
      writer.string(rule.rule)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }
}

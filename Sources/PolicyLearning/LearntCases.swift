internal import ChimeIdentity
internal import Configuration
internal import Primitives

// Test cases for the policies: requests of the journal, which keep the rules, and changes of the first that break one each.
extension LearntPolicies {
  var tests: JSONLiteral {
    var cases = learner.samples.enumerated().map { index, sample in
      testCase("request \(index + 1) of the journal", of: sample, breaking: broken(by: sample))
    }
    if let sample = learner.samples.first { cases += counterexamples(to: sample) }
    return [
      "description":
        "Requests that the policies were learnt from, and changes of the first that break a rule each.",
      "cases": .array(cases),
    ]
  }

  /// What of the rules that nearly all keep a request does not.
  private func broken(by sample: ObservedRequest) -> Set<String> {
    var broken: Set<String> = []
    for rule in rules where rule.policy == Self.nearly {
      switch rule.rule {
      case "appInstanceUserId.prefix":
        let separator = rule.text.unicodeScalars.last.map { String($0) } ?? ""
        if !(sample.userId?.hasPrefix(sample.tenant + Text(separator)) ?? false) { broken.insert(rule.rule) }
      case "tags.required":
        if !sample.tags.contains(where: { $0.key.string == rule.text }) { broken.insert(rule.rule) }
      case "expiration.required": if sample.expirationDays == nil { broken.insert(rule.rule) }
      default: break
      }
    }
    return broken
  }

  private func counterexamples(to sample: ObservedRequest) -> [JSONLiteral] {
    var cases: [JSONLiteral] = []
    for rule in rules where rule.policy == Self.all {
      var changed = sample
      switch rule.rule {
      case "tags.required": changed.tags.removeAll { $0.key.string == rule.text }
      case "tags.value":
        let key = rule.text.prefix { $0 != ":" }
        guard let index = sample.tags.firstIndex(where: { $0.key.string == String(key) }) else { continue }
        changed.tags[index] = .init(sample.tags[index].key, "unknown to the journal")
      case "expiration.maxDays": changed.expirationDays = (learner.days?.upperBound ?? 0) + 1
      case "name.trimmed": changed.name = (sample.name ?? "") + " "
      default: continue
      }
      // A name that is as long as may be has no room for another character.
      if rule.rule == "name.trimmed", (changed.name ?? "").string.unicodeScalars.count % 10 == 1 { continue }
      cases.append(
        testCase(
          "\(rule.rule) is broken: \(rule.text)", of: changed,
          breaking: broken(by: changed).union([rule.rule])))
    }
    return cases
  }

  private func testCase(_ name: String, of sample: ObservedRequest, breaking rules: Set<String>)
    -> JSONLiteral
  {
    var request: JSONLiteral = [
      "AppInstanceArn": .string(sample.appInstance.string),
      "AppInstanceUserId": .string(sample.userId?.string ?? "somebody"),
      // Where names are hidden there is no rule about them.
      "Name": .string(sample.name?.string ?? "Somebody"),
      "ClientRequestToken": "learnt",
    ]
    if !sample.tags.isEmpty {
      request["Tags"] = .array(
        sample.tags.map { ["Key": .string($0.key.string), "Value": .string($0.value?.string ?? "hidden")] })
    }
    if let days = sample.expirationDays {
      request["ExpirationSettings"] = [
        "ExpirationDays": .integer(Int64(days)), "ExpirationCriterion": "CREATED_TIMESTAMP",
      ]
    }
    return [
      "name": .string(name), "tenant": ["id": .string(sample.tenant.string)],
      "operation": "CreateAppInstanceUser", "request": request,
      "expect": ["decision": "allowed", "rules": .array(rules.sorted().map { .string($0) })],
    ]
  }
}

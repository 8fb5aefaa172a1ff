import Testing

/// A case in which the engine and the reference differ, made as small as it can be with the difference left: what is
/// printed is then what matters.
struct Counterexample {
  var policies: [PlainPolicy]
  var tagPolicies: [PlainTagPolicy]
  var exceptions: [PlainException] = []
  var tenant: PlainTenant
  var request: PlainRequest

  /// Takes away one thing after the other, as long as what is left still fails.
  ///
  /// - Parameter fails: a case that cannot be made at all does not.
  func smallest(that fails: (Counterexample) throws -> Bool) -> Counterexample {
    var current = self
    while let smaller = current.smaller.first(where: { (try? fails($0)) ?? false }) { current = smaller }
    return current
  }
}

extension Counterexample: Shrinking {
  var smaller: [Counterexample] {
    removing(\.policies) + removing(\.tagPolicies) + removing(\.exceptions)
      + shrinkingEach(\.policies) + shrinkingEach(\.exceptions)
      + tagPolicies.indices.flatMap { dropping(\.tagPolicies[$0].values) }
      + (request.tags.count > 1 || request.operation == "CreateAppInstanceUser"
        ? removing(\.request.tags) : [])
      + (request.tagKeys.count > 1 ? removing(\.request.tagKeys) : [])
      + (request.operation != "UpdateAppInstanceUser" ? dropping(\.request.metadata) : [])
      + dropping(\.request.days)
      + tenant.labels.keys.sorted().map { with(\.tenant.labels[$0], nil) }
  }
}

extension Counterexample: CustomStringConvertible {
  var description: String {
    let lists = policies.flatMap(\.lists).map { "\($0.file): \(String(reflecting: $0.text))" }
    let files =
      policies.map(\.json) + exceptions.map(\.json) + lists
      + (tagPolicies.isEmpty ? [] : [PlainTagPolicy.json(tagPolicies)])
    return "\(tenant) \(request)\n\(files.joined(separator: "\n"))"
  }
}

@Suite struct CounterexampleTests {
  @Test func whatDoesNotMatterIsTakenAway() throws {
    var random = RandomPolicies(seed: 4711)
    var policies = (0..<5).map { random.policy(named: "p\($0)", changes: true) }
    policies[2].maxDays = 4
    policies[2].clamps = true
    var request = random.request()
    request.operation = "CreateAppInstanceUser"
    request.tags = [("K", "a"), ("L", "b")]
    request.days = 9
    let large = Counterexample(
      policies: policies, tagPolicies: random.tagPolicies(), tenant: random.tenants()[1], request: request)
    let small = large.smallest { candidate in
      candidate.request.days == 9 && candidate.request.tags.contains { $0.key == "L" }
        && candidate.policies.contains { $0.maxDays == 4 && $0.clamps }
    }
    var expected = PlainPolicy(name: small.policies.first?.name ?? "")
    expected.mode = small.policies.first?.mode ?? ""
    expected.maxDays = 4
    expected.clamps = true
    #expect(small.policies.map(\.json) == [expected.json])
    #expect(small.tagPolicies.isEmpty && small.tenant.labels.isEmpty)
    #expect(small.request.tags.map(\.key) == ["L"] && small.request.metadata == nil)
  }
}

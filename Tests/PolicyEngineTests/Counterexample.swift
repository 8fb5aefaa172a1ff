import Testing

/// A case in which the engine and the reference differ, made as small as it can be with the difference left: what is
/// printed is then what matters.
struct Counterexample {
  var policies: [PlainPolicy]
  var tagPolicies: [PlainTagPolicy]
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

  /// Each the same but for one thing less.
  private var smaller: [Counterexample] {
    without(\.policies) + without(\.tagPolicies)
      + policies.indices.flatMap { index in
        policies[index].smaller.map { policy in changed { $0.policies[index] = policy } }
      }
      + tagPolicies.indices.filter { tagPolicies[$0].values != nil }.map { index in
        changed { $0.tagPolicies[index].values = nil }
      }
      + (request.tags.count > 1 || request.operation == "CreateAppInstanceUser"
        ? without(\.request.tags) : [])
      + (request.tagKeys.count > 1 ? without(\.request.tagKeys) : [])
      + (request.metadata != nil && request.operation != "UpdateAppInstanceUser"
        ? [changed { $0.request.metadata = nil }] : [])
      + (request.days != nil ? [changed { $0.request.days = nil }] : [])
      + tenant.labels.keys.sorted().map { label in changed { $0.tenant.labels[label] = nil } }
  }

  private func without<Element>(_ list: WritableKeyPath<Self, [Element]>) -> [Self] {
    self[keyPath: list].indices.map { index in changed { _ = $0[keyPath: list].remove(at: index) } }
  }

  private func changed(_ change: (inout Self) -> Void) -> Self {
    var copy = self
    change(&copy)
    return copy
  }
}

extension PlainPolicy {
  /// Each the same but for one rule or condition less.
  fileprivate var smaller: [PlainPolicy] {
    dropping(\.tenants) + dropping(\.appInstances) + dropping(\.operations) + dropping(\.allowedKeys)
      + dropping(\.maxCount) + dropping(\.minDays) + dropping(\.maxDays) + dropping(\.defaultDays)
      + dropping(\.maxBytes) + clearing(\.expirationRequired) + clearing(\.clamps)
      + clearing(\.metadataIsJSON)
      + removing(\.required) + removing(\.set) + removing(\.forbiddenKeys) + removing(\.metadataForbidden)
      + smaller(\.userID) + smaller(\.userName)
      + required.indices.flatMap { index in
        dropping(\.required[index].values) + dropping(\.required[index].pattern)
          + dropping(\.required[index].standard)
      }
  }

  private func smaller(_ strings: WritableKeyPath<Self, Strings>) -> [Self] {
    dropping(strings.appending(path: \.prefix)) + dropping(strings.appending(path: \.pattern))
      + dropping(strings.appending(path: \.minLength)) + dropping(strings.appending(path: \.maxLength))
      + removing(strings.appending(path: \.forbidden)) + clearing(strings.appending(path: \.trimmed))
      + clearing(strings.appending(path: \.singleScript))
  }

  private func dropping<Value>(_ rule: WritableKeyPath<Self, Value?>) -> [Self] {
    guard self[keyPath: rule] != nil else { return [] }
    var copy = self
    copy[keyPath: rule] = nil
    return [copy]
  }

  private func clearing(_ rule: WritableKeyPath<Self, Bool>) -> [Self] {
    guard self[keyPath: rule] else { return [] }
    var copy = self
    copy[keyPath: rule] = false
    return [copy]
  }

  private func removing<Element>(_ list: WritableKeyPath<Self, [Element]>) -> [Self] {
    self[keyPath: list].indices.map { index in
      var copy = self
      copy[keyPath: list].remove(at: index)
      return copy
    }
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

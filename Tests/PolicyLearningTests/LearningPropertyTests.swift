import ChimeIdentity
import PolicyEngine
import Primitives
import TestSupport
import Testing

@testable import PolicyLearning

/// Whatever requests are learnt from, the policies that come of it admit them.
@Suite struct LearningPropertyTests {
  private struct Requests {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    mutating func one<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

    private static let alphabets = [
      "abcdef0123456789", "abcxyz", "ABCxyz09-_", "a.b@c+d", "äöü日本", "[](){}*?$\\^|/ ", "abc-", "0123456789",
    ].map { Array($0.unicodeScalars) }

    mutating func word(_ alphabet: Int, _ most: Int = 12) -> String {
      var out = String.UnicodeScalarView()
      for _ in 0...below(most) { out.append(one(Self.alphabets[alphabet])) }
      return String(out)
    }

    /// As many as a journal has, of a way to write ids, names and tags that the seed chooses.
    mutating func all() -> [ObservedRequest] {
      let (ids, names, values) = (below(8), below(8), below(8))
      let tenants = ["crm", "hr", "crm-eu"].prefix(1 + below(3))
      let keys = ["CostCenter", "Owner", "owner", "Env", "a*b", "${x}"].prefix(1 + below(6))
      let own = below(3)
      let few = (0..<(1 + below(4))).map { _ in word(values) }
      return (0..<(1 + below(40))).map { _ in
        let operation: Operation = one([
          .createAppInstanceUser, .createAppInstanceUser, .createAppInstanceUser, .updateAppInstanceUser,
          .putAppInstanceUserExpirationSettings, .tagResource, .untagResource,
        ])
        let tenant = one(Array(tenants))
        var request = ObservedRequest(operation, tenant: Text(tenant))
        request.appInstance = app
        if operation == .createAppInstanceUser {
          request.userId = Text((below(own + 1) == 0 ? "\(tenant)-" : "") + word(ids))
        }
        if operation == .createAppInstanceUser || operation == .updateAppInstanceUser {
          request.name = Text(below(9) == 0 ? " padded " : word(names))
          request.metadataBytes = below(3) == 0 ? below(200) : 0
        }
        if operation == .createAppInstanceUser || operation == .tagResource {
          for key in keys where below(5) > 0 {
            let value = below(2) == 0 ? one(few) : word(values)
            request.tags.append(.init(Text(key), Text(value)))
          }
        }
        if operation == .untagResource { request.removedKeys = [Text(one(Array(keys)))] }
        if operation == .putAppInstanceUserExpirationSettings || below(4) > 0, operation != .tagResource {
          request.expirationDays = below(6) == 0 ? nil : 1 + below(400)
        }
        return request
      }
    }
  }

  @Test func learntPoliciesAdmitWhatTheyWereLearntFrom() throws {
    var rules = 0
    for seed in 0..<UInt64(400) {
      var generator = Requests(seed: 900_000 + seed)
      let requests = generator.all()
      let learnt = learn(requests)
      guard !learnt.isEmpty else { continue }
      rules += learnt.rules.count
      let inForce = try InForce(learnt)
      #expect(inForce.problems == [], "seed \(seed)")
      for request in requests {
        let broken = inForce.broken(LearntPolicies.all, by: request)
        #expect(broken == [], "seed \(seed): \(request)")
      }
    }
    #expect(rules > 2000)
  }

  @Test func theShareIsWhatTheRequestsKeep() throws {
    for seed in 0..<UInt64(200) {
      var generator = Requests(seed: 910_000 + seed)
      let requests = generator.all()
      let learnt = learn(requests)
      guard learnt.rules.contains(where: { $0.policy == LearntPolicies.nearly }) else { continue }
      let inForce = try InForce(learnt)
      for rule in learnt.rules where rule.policy == LearntPolicies.nearly && rule.rule != "tags.value" {
        guard rule.rule == "appInstanceUserId.prefix" else { continue }
        let creations = requests.filter { $0.operation == .createAppInstanceUser }
        let kept = creations.filter { request in
          !inForce.broken(LearntPolicies.nearly, by: request).contains { $0.hasPrefix(rule.rule) }
        }
        #expect(kept.count == rule.fits && creations.count == rule.requests, "seed \(seed)")
      }
    }
  }
}

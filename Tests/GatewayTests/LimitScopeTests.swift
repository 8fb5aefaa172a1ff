import ChimeIdentity
import Configuration
import PolicyEngine
import RateLimiting
import Testing

@testable import Gateway

@Suite("The names of limits")
struct LimitScopeTests {
  @Test("are each limit's own, and so are their places in a set")
  func distinct() {
    #expect(Set(LimitScope.all.map(\.name)).count == LimitScope.all.count)
    for scope in LimitScope.all {
      var scopes = LimitScopes()
      #expect(scopes.isEmpty)
      scopes.insert(scope)
      #expect(LimitScope.all.filter { scopes.contains($0) } == [scope])
    }
  }

  @Test("are those that the journal is asked for")
  func rules() {
    #expect(LimitScope.all.map { "rateLimit.\($0.name)" } == GatewayRule.limitIDs)
  }

  @Test("of a tenant's rates are those that the tenants file has")
  func rates() {
    #expect(LimitScope(.whole).name == "tenant")
    #expect(LimitScope(.appInstance).name == "perAppInstance")
    #expect(LimitScope(.operations(LimitScope.numberOfReads)).name == "operations.read")
    for operation in ChimeIdentity.Operation.allCases {
      #expect(LimitScope(.operations(operation.rawValue)).name == "operations.\(operation.name)")
      #expect(operation.rawValue < 58, "a bit of its own")
    }
  }

  @Test("tell reads as the service model does")
  func reads() {
    for operation in ChimeIdentity.Operation.allCases {
      #expect(Tenant.RateLimit.isRead(operation.name) == operation.isRead, "\(operation)")
    }
  }
}

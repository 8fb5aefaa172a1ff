import ChimeIdentity
import Patterns
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

@Suite struct TenantConfinementTests {
  @Test func anOperationThatIsNotTheTenantsIsNamedWithThoseThatAre() throws {
    let policies = try tenant(operations: ["TagResource", "CreateAppInstanceUser"])
    let found = TenantConfinement.violation(of: .deleteAppInstance, by: policies)
    #expect(
      found
        == Violation(
          policy: "gatehouse", rule: "tenant.operation", field: "operation",
          message:
            "tenant crm may not call DeleteAppInstance; accepted: `CreateAppInstanceUser`, `TagResource`"))
    #expect(TenantConfinement.violation(of: .tagResource, by: policies) == nil)
  }

  @Test(arguments: [
    (appInstance, String?.none),
    ("arn:aws:chime:us-east-1:123456789012:app-instance/other", "it is not in an AppInstance that"),
    ("\(appInstance)/user/x", "it is not the ARN of an AppInstance, or of something in one, that"),
  ])
  func anAppInstanceThatIsNotTheTenantsIsRefused(_ arn: String, _ fault: String?) throws {
    let call = try Operation.identify(
      method: Array("POST".utf8)[...], path: Array("/app-instance-users".utf8)[...], query: nil)
    let document = try JSONDocument(parsing: Array(createBody(appInstanceArn: arn).utf8))
    let found = try TenantConfinement.violation(
      of: call, document: document, by: try tenant(appInstances: [Glob("*/aaaa-*")]))
    #expect(
      found
        == fault.map {
          Violation(
            policy: "gatehouse", rule: "tenant.appInstance", field: "AppInstanceArn",
            message: "\($0) tenant crm may use; accepted: `*/aaaa-*`")
        })
  }

  private func tenant(operations: Set<String>? = nil, appInstances: [Glob]? = nil) throws -> TenantPolicies {
    try compile([]).0.policies(
      for: TenantFacts(id: "crm", operations: operations, appInstances: appInstances))
  }
}

import AuditTrail
import Primitives
import Testing

/// How far a request got, as its records tell.
@Suite struct JourneyTests {
  private func refused(
    _ decision: AuditDecision, _ change: (inout AuditedRequest) -> Void = { _ in }
  ) throws -> RequestHistory {
    var request = exampleRequest()
    request.decision = decision
    request.policyRevision = nil
    change(&request)
    let result = AuditedResult(.notForwarded, status: 403, durationNanoseconds: 1)
    return RequestHistory(
      first: try record(request.outcomeRecord(result, under: Sensitivity())), second: nil)
  }

  @Test func oneThatWasServedPassedAllStages() throws {
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    let outcome = try record(
      exampleResult().outcomeRecord(of: requestID(1), intent: 1, at: time(1)), sequence: 2)
    let journey = RequestJourney(of: RequestHistory(first: intent, second: outcome))
    #expect(RequestJourney.Stage.allCases.allSatisfy { journey.standing(at: $0) == .passed })
    let unknown = RequestJourney(of: RequestHistory(first: intent, second: nil))
    #expect(unknown.standing(at: .forward) == .failed)
    #expect(unknown.standing(at: .recordIntent) == .passed)
  }

  @Test func oneThatWasRefusedEndsWhereItWas() throws {
    func end(_ history: RequestHistory) -> RequestJourney.Stage { RequestJourney(of: history).end }
    #expect(try end(refused(.unauthenticated) { $0.tenant = nil }) == .authenticate)
    #expect(try end(refused(.throttled) { $0.tenant = nil }) == .limitSource)
    #expect(try end(refused(.throttled)) == .admit)
    #expect(try end(refused(.throttled) { $0.policyRevision = "sha256:00" }) == .awaitTurn)
    #expect(try end(refused(.invalid)) == .validate)
    #expect(try end(refused(.invalid) { $0.operation = nil }) == .read)
    #expect(try end(refused(.invalid) { $0.policyRevision = "sha256:00" }) == .joinRepeat)
    #expect(try end(refused(.refused) { $0.tenant = nil }) == .limitSource)
    #expect(try end(refused(.refused) { $0.policyRevision = "sha256:00" }) == .awaitTurn)
    let finding = { (rule: String) in
      AuditedRequest.Finding(policy: "p", rule: rule, field: "f", message: "m")
    }
    #expect(try end(refused(.denied) { $0.violations = [finding("tags.required")] }) == .decide)
    #expect(try end(refused(.denied) { $0.violations = [finding("tenant.appInstance")] }) == .confine)
  }

  @Test func whatLiesBehindTheEndWasNotReached() throws {
    let journey = try RequestJourney(of: refused(.unauthenticated) { $0.tenant = nil })
    #expect(journey.standing(at: .identify) == .passed)
    #expect(journey.standing(at: .authenticate) == .ended)
    #expect(journey.standing(at: .decide) == .notReached)
    #expect(journey.standing(at: .forward) == .notReached)
    #expect(journey.standing(at: .conclude) == .passed)
  }
}

internal import Primitives

/// How far a request got: the stages that docs/architecture.md draws, as its records tell them.
package struct RequestJourney: Sendable, Hashable {
  /// In their order.
  package enum Stage: String, Sendable, CaseIterable {
    case read, limitSource, identify, authenticate, confine, admit, validate, decide, joinRepeat, awaitTurn,
      recordIntent, forward, conclude
  }

  package enum Standing: String, Sendable {
    case passed
    /// The request was answered there and went no further.
    case ended
    /// It never came there.
    case notReached
    /// It was sent, and what became of it is not known or not good.
    case failed
  }

  /// Where it was answered; `forward` when it was sent.
  package let end: Stage
  private let isGood: Bool

  package init(of request: RequestHistory) {
    (end, isGood) = Self.end(of: request)
  }

  package func standing(at stage: Stage) -> Standing {
    let stages = Stage.allCases
    // However a request ends, it is concluded: that is why there is a record.
    guard stage != .conclude, let place = stages.firstIndex(of: stage), let last = stages.firstIndex(of: end)
    else { return .passed }
    if place < last { return .passed }
    if place > last { return .notReached }
    if end != .forward { return .ended }
    return isGood ? .passed : .failed
  }

  private static func end(of request: RequestHistory) -> (Stage, isGood: Bool) {
    let decision = request.text("decision").flatMap { AuditDecision(rawValue: $0.string) }
    let hasTenant = request.text("tenant") != nil
    // Written as soon as policy has been asked.
    let isDecided = request.text("policyRevision") != nil
    switch decision {
    case .allowed, nil:
      if request.text("repeatOf") != nil { return (.joinRepeat, true) }
      return (.forward, ["created", "succeeded"].contains(request.outcome))
    case .unauthenticated: return (.authenticate, false)
    case .denied:
      let isOwn = request.rules.contains { $0.hasPrefix("tenant.") }
      return (isOwn ? .confine : .decide, false)
    case .throttled: return (hasTenant ? isDecided ? .awaitTurn : .admit : .limitSource, false)
    case .invalid:
      if request.text("operation") == nil {
        return (request.text("method") == nil ? .read : .identify, false)
      }
      if isDecided { return (.joinRepeat, false) }
      return (hasTenant ? .validate : .authenticate, false)
    case .refused:
      if request.first.kind == .intent || request.integer("attempts") != nil { return (.forward, false) }
      guard isDecided else { return (hasTenant ? .admit : .limitSource, false) }
      return (.awaitTurn, false)
    }
  }
}

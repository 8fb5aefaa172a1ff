internal import AuditStore
internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import Primitives

/// A request whose intent is in the journal, as durably as configured; made by `recordIntent`.
struct Recorded: ~Copyable {
  let permitted: Permitted
  /// `intent` is the journal's own proof.
  fileprivate init(_ scheduled: consuming Scheduled, _ intent: consuming Journal.Intent) {
    permitted = scheduled.permitted
    permitted.verified.call.trail.intent = intent.sequence
    permitted.verified.call.trail.lateIntent = intent.late
  }
}

extension Worker {
  /// Nothing is forwarded before this returns.
  func recordIntent(_ scheduled: consuming Scheduled) async throws(Refusal) -> Recorded {
    let call = scheduled.permitted.verified.call
    do throws(JournalFailure) {
      // All of the loop's turn together: one synchronisation serves them.
      let intent = try await records.intend { call.appendIntent(to: &$0) }
      return Recorded(scheduled, intent)
    } catch {
      giveBackTurn(
        of: scheduled.permitted.verified.tenant, in: scheduled.permitted.verified.region, call)
      if case .stalled(let late) = error { call.trail.lateIntent = late }
      throw .journalUnavailable
    }
  }
}

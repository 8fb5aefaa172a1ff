internal import Configuration
internal import AuditStore
internal import AuditTrail
internal import ChimeIdentity
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives

/// A request whose intent is in the journal, as durably as configured; made by `recordIntent`.
struct Recorded: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let judged: JudgedRequest
  let body: [UInt8]
  let payloadHash: SHA256Digest
  /// `intent` is the journal's own proof.
  fileprivate init(_ scheduled: borrowing Scheduled, _ intent: consuming Journal.Intent) {
    call = scheduled.call
    target = scheduled.target
    tenant = scheduled.tenant
    judged = scheduled.judged
    body = scheduled.body
    payloadHash = scheduled.payloadHash
    call.intent = intent.sequence
    call.lateIntent = intent.late
  }
}

extension Worker {
  /// Nothing is forwarded before this returns.
  func recordIntent(_ scheduled: consuming Scheduled) async throws(Refusal) -> Recorded {
    let call = scheduled.call
    do throws(JournalFailure) {
      let audited = call.audited(.allowed)
      let intent = try await records.intend { record in
        record.begin(intent: audited.id, at: audited.time)
        audited.append(to: &record)
        record.end()
      }
      return Recorded(scheduled, intent)
    } catch {
      shared.limits.giveBack(scheduled.tenant.meter)
      if case .stalled(let late) = error { call.lateIntent = late }
      throw .journalUnavailable
    }
  }
}

internal import CredentialSources
package import Primitives
package import SigV4
internal import Synchronization
internal import Transport

/// One that signs: the gateway with its own credentials, or a tenant's session. Credentials come and go; requests take
/// what is in force, and never ask a source.
package final class SigningIdentity: Sendable {
  /// What is in force.
  package struct Held: Sendable {
    /// One for each region that is served, with the same credentials.
    package let signers: PerRegion<Signer>
    /// `nil`: they do not end.
    package let end: WallClockTime?
  }

  package struct Status: Sendable {
    /// Where credentials come from, once that is known.
    package var source: String?
    package var obtainedAt: WallClockTime?
    package var end: WallClockTime?
    /// Why the last attempt gave none.
    package var problem: String?
    package var isFailing = false
  }

  struct State {
    var machine: RefreshMachine
    var held: Held?
    var status = Status()
    /// When requests took it last; monotonic nanoseconds.
    var lastUse: Int64 = 0
    var obtainedAt: Int64 = 0
    /// The timer that counts; earlier ones do nothing.
    var timer = 0
    var failingSince: MonotonicInstant?
    var waiters: [LoopWaiter<Bool>] = []
    var isStarted = false
    var isRetired = false
  }

  /// Whose it is; `nil`: the gateway's own.
  package let tenant: Text?
  let makeSigners: @Sendable (Credentials) -> PerRegion<Signer>
  let state: Mutex<State>
  /// Another one whenever what is in force is, and none that another identity has had.
  private let current: Atomic<Int>
  private static let versions = Atomic(1)

  init(of tenant: Text?, makeSigners: @escaping @Sendable (Credentials) -> PerRegion<Signer>) {
    self.tenant = tenant
    self.makeSigners = makeSigners
    state = Mutex(State(machine: RefreshMachine(isLazy: tenant != nil)))
    current = Atomic(Self.nextVersion())
  }

  private static func nextVersion() -> Int { versions.wrappingAdd(1, ordering: .relaxed).newValue }

  package var version: Int { current.load(ordering: .acquiring) }

  /// What is in force, with its version.
  package var inForce: (version: Int, held: Held?) {
    state.withLock { (current.load(ordering: .relaxed), $0.held) }
  }

  /// What signs now in a region, unless it has ended.
  package func signer(in region: Int, at wall: WallClockTime, now: MonotonicInstant) -> Signer? {
    state.withLock { state in
      state.lastUse = now.nanoseconds
      guard let held = state.held else { return nil }
      if let end = held.end, end <= wall { return nil }
      return held.signers[region: region]
    }
  }

  package var status: Status {
    state.withLock { state in
      var status = state.status
      status.isFailing = state.machine.isFailing
      return status
    }
  }

  /// Puts credentials in force. To be called with the state locked.
  func put(_ credentials: Credentials, _ state: inout State, now: MonotonicInstant, wall: WallClockTime) {
    state.held = Held(signers: makeSigners(credentials), end: credentials.expiration)
    state.obtainedAt = now.nanoseconds
    state.status.obtainedAt = wall
    state.status.end = credentials.expiration
    state.status.problem = nil
    current.store(Self.nextVersion(), ordering: .releasing)
  }

  /// To be called with the state locked.
  func drop(_ state: inout State) {
    guard state.held != nil else { return }
    state.held = nil
    (state.status.obtainedAt, state.status.end) = (nil, nil)
    current.store(Self.nextVersion(), ordering: .releasing)
  }
}

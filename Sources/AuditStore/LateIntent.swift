internal import Synchronization

/// An intent whose request no longer waits for it, because the disk gave no answer. It may come to the disk all the same,
/// and then its outcome must name it. So the outcome is written when both are known: how the request ended, and whether
/// the intent is in the journal.
package final class LateIntent: Sendable {
  /// The outcome's record.
  /// - Parameter intent: the intent's sequence number; `nil` when it is not in the journal, and the outcome must tell the
  ///   whole.
  package typealias Outcome = @Sendable (_ intent: Int?) -> [UInt8]

  private enum State {
    /// Next: concluded or settled.
    case open
    /// The request has ended. Next: done.
    case concluded(Outcome)
    /// The disk has answered. Next: done.
    case settled(Int?)
    case done
  }

  private let state = Mutex(State.open)

  init() {}

  /// - Returns: the record to be written, when the intent's fate is known.
  func conclude(_ outcome: @escaping Outcome) -> [UInt8]? {
    let settled: Int?? = state.withLock { state in
      switch state {
      case .open:
        state = .concluded(outcome)
        return nil
      case .settled(let intent):
        state = .done
        return .some(intent)
      case .concluded, .done: return nil
      }
    }
    return settled.map { outcome($0) }
  }

  /// - Returns: the record to be written, when the request has ended.
  func settle(_ intent: Int?) -> [UInt8]? {
    let concluded: Outcome? = state.withLock { state in
      switch state {
      case .open:
        state = .settled(intent)
        return nil
      case .concluded(let outcome):
        state = .done
        return outcome
      case .settled, .done: return nil
      }
    }
    return concluded.map { $0(intent) }
  }
}

extension LateIntent: Hashable {
  package static func == (left: LateIntent, right: LateIntent) -> Bool { left === right }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

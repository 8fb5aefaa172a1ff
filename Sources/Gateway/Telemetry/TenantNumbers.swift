internal import Primitives
internal import Synchronization

/// A number for each tenant's id, the same for as long as the process lives, so that counting a request compares and hashes
/// no text. Numbers are given when a configuration is loaded; there are never more than ids that were configured.
final class TenantNumbers: Sendable {
  private struct State {
    var names: [Text] = [""]
    var numbers: [Text: UInt32] = [:]
  }

  private let state = Mutex(State())

  /// Of requests whose tenant is not known; its name is empty.
  static let unknown: UInt32 = 0

  init() {}

  /// The number of a tenant's id, given now if it has none yet.
  func number(of tenant: Text) -> UInt32 {
    state.withLock { state in
      if let number = state.numbers[tenant] { return number }
      let number = UInt32(state.names.count)
      state.names.append(tenant)
      state.numbers[tenant] = number
      return number
    }
  }

  /// The ids by their numbers.
  var names: [Text] { state.withLock { $0.names } }
}

internal import LimitStore
internal import SharedLimits

/// The store of limits, as all workers see it.
final class SharedStore: Sendable {
  let keys: StoreKeys
  let health: StoreHealth

  init(keys: StoreKeys, health: StoreHealth) {
    self.keys = keys
    self.health = health
  }
}

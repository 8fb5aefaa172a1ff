internal import StrictJSON

extension TenantEntry {
  /// Says which of the tenant's limits cannot refuse anything.
  func judgeLimits(_ reading: Reading) {
    guard let rateLimit else { return }
    let all = rateLimit.rate
    for limit in rateLimit.operations {
      if let reason = reasonNotToAsk(limit.name) {
        reading.warning(at: limit.position, "this limit holds for nothing: \(reason)")
      } else if limit.rate.isNowhereBelow(all) {
        reading.warning(
          at: limit.position, "this limit never refuses: the tenant's own rate, \(all.written), is no higher")
      }
    }
    if let limit = rateLimit.perAppInstance, limit.isNowhereBelow(all) {
      reading.warning(
        at: position, "\"perAppInstance\" never refuses: the tenant's own rate, \(all.written), is no higher")
    }
  }

  private func reasonNotToAsk(_ limited: String) -> String? {
    let own = operations.map(quoted).joined(separator: ", ")
    if limited == Tenant.RateLimit.reads {
      return operations.contains(where: Tenant.RateLimit.isRead)
        ? nil : "none of the tenant's operations only reads (\(own))"
    }
    return operations.contains(limited)
      ? nil : "the tenant may not call \(quoted(limited)); its operations are \(own)"
  }
}

extension Tenant.RateLimit {
  /// By how AWS names what only reads; a test holds the service model to it.
  package static func isRead(_ operation: String) -> Bool {
    ["Describe", "Get", "List"].contains { operation.hasPrefix($0) }
  }
}

extension GatewayConfiguration.Rate {
  /// Whether whatever comes within `other` is also within this one.
  fileprivate func isNowhereBelow(_ other: Self) -> Bool {
    requestsPerSecond >= other.requestsPerSecond && burst >= other.burst
  }
}

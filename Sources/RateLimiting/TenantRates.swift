internal import Primitives

/// The rates that a tenant is held to: of all its requests, of some operations, and of what it asks about one AppInstance.
package struct TenantRates: Sendable {
  /// A rate of one operation, or of several together.
  package struct OfOperations: Sendable {
    /// By which its state is found again after a reload.
    package let number: UInt8
    /// A bit for each operation that it is of, by the operation's number.
    package let operations: UInt64
    package let limit: GCRA

    package init(number: UInt8, operations: UInt64, limit: GCRA) {
      self.number = number
      self.operations = operations
      self.limit = limit
    }
  }

  package let whole: GCRA
  package let operations: [OfOperations]
  package let perAppInstance: GCRA?
  /// Whether there is but one rate.
  let isWholeAlone: Bool

  package init(whole: GCRA, operations: [OfOperations] = [], perAppInstance: GCRA? = nil) {
    self.whole = whole
    self.operations = operations
    self.perAppInstance = perAppInstance
    isWholeAlone = operations.isEmpty && perAppInstance == nil
  }

  /// What one of several places that count for themselves has of them.
  package func part(of parts: Int) -> TenantRates {
    TenantRates(
      whole: whole.part(of: parts),
      operations: operations.map {
        OfOperations(number: $0.number, operations: $0.operations, limit: $0.limit.part(of: parts))
      }, perAppInstance: perAppInstance.map { $0.part(of: parts) })
  }
}

/// Which of a tenant's rates.
package enum TenantRate: BitwiseCopyable, Sendable, Hashable {
  case whole
  /// `TenantRates.OfOperations.number`
  case operations(UInt8)
  case appInstance
}

/// One rate that a request counts against. With the tenant and, for `appInstance`, the AppInstance's ARN it is known which
/// bucket is meant, whoever keeps it.
package struct RateBucket: BitwiseCopyable, Sendable, Hashable {
  package let rate: TenantRate
  package let limit: GCRA
}

/// What is asked of a tenant's rates.
package struct RatedRequest: BitwiseCopyable, Sendable {
  /// The operation's number, below 64.
  package let operation: UInt8
  /// Which AppInstance it is about; `nil`: about none.
  package let appInstance: AppInstanceKey?

  package init(operation: UInt8, appInstance: AppInstanceKey? = nil) {
    self.operation = operation
    self.appInstance = appInstance
  }
}

/// An AppInstance, told from others by a hash that callers cannot foresee. Two that shared one would share a rate.
package struct AppInstanceKey: BitwiseCopyable, Sendable, Hashable {
  let hash: UInt64

  /// - Returns: `nil` of an empty ARN.
  package init?(_ arn: Span<UInt8>) {
    guard !arn.isEmpty else { return nil }
    var hasher = Hasher()
    arn.withUnsafeBytes { hasher.combine(bytes: $0) }
    hash = UInt64(UInt(bitPattern: hasher.finalize()))
  }
}

extension TenantRates {
  /// What a request counts against: the tenant's whole rate first.
  @inline(__always)
  package func forEachBucket(of request: RatedRequest, _ body: (RateBucket) -> Void) {
    body(RateBucket(rate: .whole, limit: whole))
    for rate in operations where rate.operations >> UInt64(request.operation) & 1 == 1 {
      body(RateBucket(rate: .operations(rate.number), limit: rate.limit))
    }
    if let perAppInstance, request.appInstance != nil {
      body(RateBucket(rate: .appInstance, limit: perAppInstance))
    }
  }
}

/// What a tenant's rates say of one request.
package struct RateDecision: BitwiseCopyable, Sendable, Hashable {
  /// The tightest: of those that apply, the one with the longest wait.
  package let rate: TenantRate
  package let decision: LimitDecision
}

internal import ChimeIdentity
internal import PolicyEngine
package import Primitives

/// A rule that is proposed, and how many of the requests that it is about keep it.
package struct LearntRule: Sendable, Hashable {
  /// The policy that it stands in.
  package let policy: String
  /// As violations name it.
  package let rule: String
  /// What it asks for, for people.
  package let text: String
  package let fits: Int
  package let requests: Int
}

/// What requests have in common, gathered one after the other; see `LearntPolicies` for what becomes of it.
package struct PolicyLearner: Sendable {
  private(set) var creations = 0
  private(set) var requests = 0
  private(set) var since: WallClockTime?
  private(set) var until: WallClockTime?
  private(set) var tenants: Set<Text> = []

  private(set) var ids = ObservedStrings()
  /// By what stands between the tenant's id and the rest: how many ids begin so.
  private(set) var ownIds: [Unicode.Scalar: Int] = [:]
  private(set) var names = ObservedStrings()
  private(set) var trimmedNames = 0
  private(set) var uniformNames = 0
  /// Requests that have a name which is not shown.
  private(set) var hiddenNames = 0
  private(set) var tags = ObservedTags()
  /// Creations and Puts that give an expiration, or are given one.
  private(set) var expiring = 0
  private(set) var expirationRequests = 0
  private(set) var days: ClosedRange<Int>?
  private(set) var metadata: ClosedRange<Int>?
  /// For test cases: of each kind of request one.
  private(set) var samples: [ObservedRequest] = []
  private var kinds: Set<[Text]> = []

  static let separators: [Unicode.Scalar] = ["-", "_", ".", ":", "/"]
  static let mostSamples = 10

  package init() {}

  package var seenRequests: Int { requests }
  package var seenCreations: Int { creations }

  package mutating func take(_ request: ObservedRequest, at time: WallClockTime) {
    switch request.operation {
    case .createAppInstanceUser:
      creations += 1
      takeIdentifier(of: request)
      takeName(request.name)
      takeExpiration(of: request)
      keepSample(request)
    case .updateAppInstanceUser: takeName(request.name)
    case .putAppInstanceUserExpirationSettings: takeExpiration(of: request)
    case .tagResource, .untagResource: break
    default: return
    }
    requests += 1
    since = since.map { min($0, time) } ?? time
    until = until.map { max($0, time) } ?? time
    tenants.insert(request.tenant)
    tags.take(request, isCreation: request.operation == .createAppInstanceUser)
    if let bytes = request.metadataBytes {
      metadata = metadata.map { min($0.lowerBound, bytes)...max($0.upperBound, bytes) } ?? bytes...bytes
    }
  }

  private mutating func takeIdentifier(of request: ObservedRequest) {
    guard let id = request.userId else { return }
    ids.take(id)
    for separator in Self.separators where id.hasPrefix(request.tenant + Text(String(separator))) {
      ownIds[separator, default: 0] += 1
    }
  }

  private mutating func takeName(_ name: Text?) {
    guard let name else {
      hiddenNames += 1
      return
    }
    names.take(name)
    if name.utf8.span.isTrimmed { trimmedNames += 1 }
    if name.utf8.span.isSingleScript { uniformNames += 1 }
  }

  private mutating func takeExpiration(of request: ObservedRequest) {
    expirationRequests += 1
    if request.expirationDays != nil { expiring += 1 }
    for seen in [request.expirationDays, request.changedDays].compactMap(\.self) {
      days = days.map { min($0.lowerBound, seen)...max($0.upperBound, seen) } ?? seen...seen
    }
  }

  private mutating func keepSample(_ request: ObservedRequest) {
    guard samples.count < Self.mostSamples else { return }
    let kind =
      [request.tenant, request.expirationDays == nil ? "" : "expires"] + request.tags.map(\.key).sorted()
    if kinds.insert(kind).inserted { samples.append(request) }
  }
}

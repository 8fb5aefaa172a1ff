internal import Configuration
internal import Patterns
internal import Primitives

/// Which user ids are whose, where the prefix of one tenant's ids begins that of another's: `a-` takes in `a-b-`. An id then
/// belongs to the tenant with the longer one, and nobody else creates it.
///
/// Only prefixes of `enforce` policies count. Tenants with the same prefix share their ids, as somebody wanted.
final class OwnedPrefixes: Sendable {
  /// A prefix that all ids of a tenant have.
  struct Owned: Sendable {
    /// Compared as text, the same for every request: what comes from the request stands as a NUL, which no id has.
    fileprivate let shape: [UInt8]
    let template: BoundTemplate
    /// One of those whose it is.
    let owner: Text
    /// Where they may call; `nil`: anywhere.
    fileprivate(set) var appInstances: [Glob]?
  }

  /// In the order of their shapes, so that what lies within a prefix comes right behind it.
  private let owned: [Owned]
  private let policies: [CompiledPolicy]

  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts]) {
    self.policies = policies.filter {
      $0.document.mode == .enforce && $0.governs(.createUser) && $0.document.when == nil
        && $0.document.appInstanceUserId?.prefix != nil
    }
    guard !self.policies.isEmpty else {
      owned = []
      return
    }
    owned = tenants.flatMap { [policies = self.policies] tenant in
      Self.prefixes(of: tenant, in: policies).map {
        Owned(shape: $0.shape, template: $0.template, owner: tenant.id, appInstances: tenant.appInstances)
      }
    }.sorted { $0.shape.lexicographicallyPrecedes($1.shape) }
  }

  /// What of a tenant's own prefixes belongs to others, each prefix once.
  func rivals(of tenant: TenantFacts) -> [Rival] {
    guard !owned.isEmpty else { return [] }
    let own = Self.prefixes(of: tenant, in: policies)
    let narrowest = own.filter { wide in
      !own.contains {
        $0.appliesEverywhere && $0.shape.count > wide.shape.count && $0.shape.starts(with: wide.shape)
      }
    }
    let shapes = Set(own.map(\.shape))
    var found: [[UInt8]: Rival] = [:]
    for wide in narrowest {
      for entry in within(wide.shape)
      where !shapes.contains(entry.shape) && entry.owner != tenant.id
        && PolicyDocument.Match.overlap(tenant.appInstances, entry.appInstances)
      {
        if let known = found[entry.shape]?.owned.appInstances {
          found[entry.shape]?.owned.appInstances = entry.appInstances.map {
            known + $0.filter { !known.contains($0) }
          }
        } else if found[entry.shape] == nil {
          found[entry.shape] = Rival(policy: wide.policy, wide: wide.template, owned: entry)
        }
      }
    }
    return found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  struct Rival: Sendable {
    /// Whose rule the wider prefix is.
    let policy: PolicyDocument
    let wide: BoundTemplate
    fileprivate(set) var owned: Owned
  }

  /// Those that begin with `shape` and are longer.
  private func within(_ shape: [UInt8]) -> some Sequence<Owned> {
    var low = 0
    var high = owned.count
    while low < high {
      let middle = (low + high) / 2
      if shape.lexicographicallyPrecedes(owned[middle].shape) { high = middle } else { low = middle + 1 }
    }
    return owned[low...].lazy.prefix { $0.shape.starts(with: shape) }
  }

  private struct Prefix {
    let policy: PolicyDocument
    let template: BoundTemplate
    let shape: [UInt8]
    let appliesEverywhere: Bool
  }

  private static func prefixes(of tenant: TenantFacts, in policies: [CompiledPolicy]) -> [Prefix] {
    var seen: Set<Text> = []
    return policies.compactMap { policy in
      // Policies of one organisation have mostly the same.
      guard let written = policy.document.appInstanceUserId?.prefix?.value, policy.matches(tenant),
        PolicyDocument.Match.overlap(policy.document.match.appInstances, tenant.appInstances)
      else { return nil }
      let exclusion = policy.exclusion(of: tenant).flatMap { $0.takesIn(.createUser) ? $0 : nil }
      let appliesEverywhere = policy.document.match.appInstances == nil && exclusion == nil
      guard exclusion == nil || exclusion?.appInstances != nil,
        seen.insert(written).inserted || appliesEverywhere
      else { return nil }
      let template = BoundTemplate(written, for: tenant)
      guard template.failure == nil else { return nil }
      return Prefix(
        policy: policy.document, template: template, shape: template.shape,
        appliesEverywhere: appliesEverywhere)
    }
  }
}

extension BoundTemplate {
  fileprivate var shape: [UInt8] {
    pieces.flatMap { piece -> [UInt8] in
      switch piece {
      case .written(let text), .literal(let text): text.utf8
      case .appInstanceID: [0]
      }
    }
  }
}

extension OwnedPrefixes.Owned {
  /// Whether an id is its owners': it has the prefix, in an AppInstance where one of them may call.
  func takes(_ id: Span<UInt8>, of request: borrowing GovernedRequest) -> Bool {
    guard template.failure(for: request) == nil, template.isPrefix(of: id, for: request) else { return false }
    return appInstances.admits(request.appInstanceArn)
  }
}

internal import Configuration
internal import Patterns
internal import Primitives

/// A policy as it applies to one tenant: templates filled as far as they can be without the request, and everything
/// that a check compares with made once.
final class BoundPolicy: Sendable {
  let name: Text
  let hash: PolicyHash
  let mode: PolicyDocument.Mode
  /// `nil`: it is about every request that it matches.
  let when: BoundWhen?
  /// Keys of tags that its `when` asks for and that nobody may change.
  let questioned: [FoldedKey]
  /// The policy's own words, where no rule has any.
  let notes: RuleNotes?
  let severity: PolicyDocument.Severity?
  let owner: Text?
  let userID: StringChecks?
  let userName: StringChecks?
  let tags: TagChecks?
  let expiration: ExpirationChecks?
  let metadata: MetadataChecks?
  /// What it may add or set, in the order in which it does; ceilings apart.
  let fillings: [Filling]

  init(_ document: PolicyDocument, for tenant: TenantFacts, rivals: [OwnedPrefixes.Owned] = []) {
    name = document.name.value
    hash = PolicyHash(name)
    mode = document.mode
    when = document.when.map { BoundWhen($0, for: tenant) }
    questioned = document.questionedTags.map { FoldedKey($0) }
    notes = RuleNotes.of(in: document)
    severity = document.severity
    owner = document.owner
    userID = document.appInstanceUserId.map {
      StringChecks($0, for: tenant, rivals: rivals, saying: RuleNotes.of($0.header, in: document))
    }
    userName = document.userName.map {
      StringChecks($0, for: tenant, saying: RuleNotes.of($0.header, in: document))
    }
    tags = document.tags.map { TagChecks($0, of: document, for: tenant) }
    expiration = document.expiration.map { ExpirationChecks($0, of: document) }
    metadata = document.metadata.map { MetadataChecks($0, of: document) }
    fillings = (tags?.fillings ?? []) + (expiration?.defaultDays.map { [.days($0)] } ?? [])
  }

  /// A name and a mode under which tag policies report what they find.
  init(name: Text, mode: PolicyDocument.Mode) {
    self.name = name
    hash = PolicyHash(name)
    self.mode = mode
    when = nil
    questioned = []
    notes = nil
    severity = nil
    owner = nil
    userID = nil
    userName = nil
    tags = nil
    expiration = nil
    metadata = nil
    fillings = []
  }

  /// Whether it may add or set something, ceilings apart.
  var fills: Bool { !fillings.isEmpty }
  /// Whether it may lower days.
  var clamps: Bool { expiration?.clamps ?? false }
}

internal import ChimeIdentity
internal import Configuration
internal import Primitives

/// Why a template has no value.
enum Unresolved: Error, Hashable, Sendable {
  case tenantHasNoLabel(Text)
  case requestNamesNoAppInstance
  case badSyntax
  /// The service would refuse the tag.
  case noTagValue
  case noTagKey
  /// With what is put in, it is no regular expression.
  case badPattern

  /// In Unicode scalars.
  static let tagValueLength = ModelLimits.tagValue
  static let tagKeyLimits = "the key of a tag must have \(MessageText.range(ModelLimits.tagKey, "character"))"
  static let tagValueLimits = "the value of a tag must have \(MessageText.range(tagValueLength, "character"))"

  var reason: String {
    switch self {
    case .tenantHasNoLabel(let name): "the tenant has no label `\(MessageText.shown(name))`"
    case .requestNamesNoAppInstance: "the request names no AppInstance"
    case .badSyntax: "its template cannot be read"
    case .noTagValue: Self.tagValueLimits
    case .noTagKey: Self.tagKeyLimits
    case .badPattern: "with what its templates stand for it is no regular expression"
    }
  }
}

/// A template with what is known of its tenant put in.
final class BoundTemplate: Hashable, Sendable {
  enum Piece: Hashable, Sendable {
    /// As it stands in the policy.
    case written(Text)
    /// Put in, and so taken literally wherever the policy's own text would be a glob.
    case literal(Text)
    /// Comes from the request.
    case appInstanceID
  }

  private enum State: Hashable, Sendable {
    case resolved(Text)
    case perRequest
    case unresolved(Unresolved)
  }

  /// Whether a value that is the same for all requests can be a tag's.
  private enum TagLength: Sendable { case fits, misfits, unknown }

  let pieces: [Piece]
  private let state: State
  private let constantTagLength: TagLength

  convenience init(_ source: Text, for tenant: TenantFacts) {
    guard let template = try? Template(source) else {
      self.init(pieces: [], state: .unresolved(.badSyntax))
      return
    }
    self.init(template, for: tenant)
  }

  private init(pieces: [Piece], state: State) {
    self.pieces = pieces
    self.state = state
    constantTagLength =
      if case .resolved(let text) = state {
        Unresolved.tagValueLength.contains(text.scalarCount) ? .fits : .misfits
      } else {
        .unknown
      }
  }

  convenience init(_ template: Template, for tenant: TenantFacts) {
    var pieces: [Piece] = []
    var resolved: [UInt8]? = []
    var failure: Unresolved?
    for piece in template.pieces {
      switch piece {
      case .written(let text):
        pieces.append(.written(text))
        resolved?.append(text: text)
      case .fact(.tenantID):
        pieces.append(.literal(tenant.id))
        resolved?.append(text: tenant.id)
      case .fact(.tenantLabel(let name)):
        guard let value = tenant.labels[name] else {
          failure = failure ?? .tenantHasNoLabel(name)
          continue
        }
        pieces.append(.literal(value))
        resolved?.append(text: value)
      case .fact(.appInstanceID):
        pieces.append(.appInstanceID)
        resolved = nil
      }
    }
    let state: State =
      if let failure {
        .unresolved(failure)
      } else if let resolved {
        .resolved(Text(uncheckedUTF8: resolved))
      } else {
        .perRequest
      }
    self.init(pieces: pieces, state: state)
  }

  /// Why no request can give it a value.
  var failure: Unresolved? {
    if case .unresolved(let why) = state { why } else { nil }
  }

  /// Its value if it is the same for all requests.
  var constant: Text? {
    if case .resolved(let text) = state { text } else { nil }
  }

  /// Whether every request gets the same value, and one that a tag can have.
  var isConstantTagValue: Bool { constantTagLength == .fits }

  static func == (left: BoundTemplate, right: BoundTemplate) -> Bool {
    left === right || (left.pieces == right.pieces && left.state == right.state)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(pieces)
    hasher.combine(state)
  }
}

// The value that it has for a request.
extension BoundTemplate {
  /// Why it has none, or `nil`.
  func failure(for request: borrowing GovernedRequest) -> Unresolved? {
    switch state {
    case .resolved: nil
    case .unresolved(let why): why
    case .perRequest: request.appInstanceId.isEmpty ? .requestNamesNoAppInstance : nil
    }
  }

  /// Why it has none that a tag can have: the service model wants 1 to 256 scalars.
  func tagFailure(for request: borrowing GovernedRequest) -> Unresolved? {
    if constantTagLength == .fits { return nil }
    if let failure = failure(for: request) { return failure }
    return Unresolved.tagValueLength.contains(value(for: request).scalarCount) ? nil : .noTagValue
  }

  /// A copy, for messages and globs. Call it when `failure` is `nil`.
  func value(for request: borrowing GovernedRequest) -> Text {
    if case .resolved(let text) = state { return text }
    var value: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .written(let text), .literal(let text): value.append(text: text)
      case .appInstanceID: value += request.appInstanceId.array
      }
    }
    return Text(uncheckedUTF8: value)
  }

  /// Whether a text begins with it; call it when `failure` is `nil`.
  func isPrefix(of text: Span<UInt8>, for request: borrowing GovernedRequest) -> Bool {
    if case .resolved(let prefix) = state { return text.starts(with: prefix.utf8.span, at: 0) }
    var place = 0
    for piece in pieces {
      switch piece {
      case .written(let part), .literal(let part):
        guard text.starts(with: part.utf8.span, at: place) else { return false }
        place += part.utf8.count
      case .appInstanceID:
        guard text.starts(with: request.appInstanceId, at: place) else { return false }
        place += request.appInstanceId.count
      }
    }
    return true
  }

  /// Whether it is the text; call it when `failure` is `nil`.
  func isEqual(to text: Span<UInt8>, for request: borrowing GovernedRequest) -> Bool {
    if case .resolved(let value) = state { return text.holds(value) }
    return text.holds(value(for: request))
  }

  /// Puts the value into the request's side buffer; call it when `failure` is `nil`.
  func put(into request: inout GovernedRequest) -> FactSlice {
    if case .resolved(let value) = state { return request.put(value.utf8.span) }
    return request.put(value(for: request).utf8.span)
  }
}

extension Span<UInt8> {
  /// Whether `prefix` stands at a place in it.
  func starts(with prefix: Span<UInt8>, at place: Int) -> Bool {
    count - place >= prefix.count && extracting(place..<place + prefix.count).holds(prefix)
  }
}

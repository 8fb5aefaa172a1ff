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

  /// In Unicode scalars.
  static let tagValueLength = ModelLimits.tagValue
  static let tagValueLimits = "the value of a tag must have \(Wording.range(tagValueLength, "character"))"

  var reason: String {
    switch self {
    case .tenantHasNoLabel(let name): "the tenant has no label `\(Wording.shown(name))`"
    case .requestNamesNoAppInstance: "the request names no AppInstance"
    case .badSyntax: "its template cannot be read"
    case .noTagValue: Self.tagValueLimits
    }
  }
}

/// A template with what is known of its tenant put in.
struct BoundTemplate: Hashable, Sendable {
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

  let pieces: [Piece]
  private let state: State

  init(_ source: Text, for tenant: TenantFacts) {
    guard let template = try? Template(source) else {
      self.init(pieces: [], state: .unresolved(.badSyntax))
      return
    }
    self.init(template, for: tenant)
  }

  private init(pieces: [Piece], state: State) {
    self.pieces = pieces
    self.state = state
  }

  init(_ template: Template, for tenant: TenantFacts) {
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
    self.pieces = pieces
    if let failure {
      state = .unresolved(failure)
    } else if let resolved {
      state = .resolved(Text(uncheckedUTF8: resolved))
    } else {
      state = .perRequest
    }
  }

  /// Why no request can give it a value.
  var failure: Unresolved? {
    if case .unresolved(let why) = state { why } else { nil }
  }

  /// Its value if it is the same for all requests.
  var constant: Text? {
    if case .resolved(let text) = state { text } else { nil }
  }

  /// The value for a tag, which the service model wants to have 1 to 256 scalars.
  func tagValue(for request: GovernedRequest) throws(Unresolved) -> Text {
    let value = try resolve(for: request)
    // A text has no more scalars than bytes, so most need not be counted.
    guard !value.isEmpty,
      value.utf8.count <= Unresolved.tagValueLength.upperBound
        || value.scalarCount <= Unresolved.tagValueLength.upperBound
    else { throw .noTagValue }
    return value
  }

  func resolve(for request: GovernedRequest) throws(Unresolved) -> Text {
    switch state {
    case .resolved(let text): return text
    case .unresolved(let why): throw why
    case .perRequest:
      guard !request.appInstanceId.isEmpty else { throw .requestNamesNoAppInstance }
      var value: [UInt8] = []
      for piece in pieces {
        switch piece {
        case .written(let text), .literal(let text): value.append(text: text)
        case .appInstanceID: value.append(text: request.appInstanceId)
        }
      }
      return Text(uncheckedUTF8: value)
    }
  }
}

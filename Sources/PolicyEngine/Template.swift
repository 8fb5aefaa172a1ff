internal import Primitives

/// A text of a policy in which facts of the tenant or the request may stand: `gatehouse/${tenant.id}`.
struct Template: Hashable, Sendable {
  enum Fact: Hashable, Sendable {
    case tenantID
    case tenantLabel(Text)
    case appInstanceID

    /// Its name as a policy writes it, without `${` and `}`.
    init?(name: ArraySlice<UInt8>) {
      let label = Array("tenant.labels.".utf8)
      if name.elementsEqual("tenant.id".utf8) {
        self = .tenantID
      } else if name.elementsEqual("request.appInstanceId".utf8) {
        self = .appInstanceID
      } else if name.starts(with: label), name.count > label.count {
        self = .tenantLabel(Text(uncheckedUTF8: Array(name.dropFirst(label.count))))
      } else {
        return nil
      }
    }
  }

  enum Piece: Hashable, Sendable {
    /// As it stands in the policy.
    case written(Text)
    case fact(Fact)
  }

  enum SyntaxError: Error, Hashable {
    /// `${` without `}`.
    case unclosed
    case unknownFact(Text)
  }

  let pieces: [Piece]

  init(_ source: Text) throws(SyntaxError) {
    var pieces: [Piece] = []
    var written: [UInt8] = []
    var rest = source.utf8[...]
    while let byte = rest.first {
      guard byte == UInt8(ascii: "$"), rest.dropFirst().first == UInt8(ascii: "{") else {
        written.append(byte)
        rest = rest.dropFirst()
        continue
      }
      guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { throw .unclosed }
      let name = rest[(rest.startIndex + 2)..<end]
      guard let fact = Fact(name: name) else {
        throw .unknownFact(Text(uncheckedUTF8: Array(name)))
      }
      if !written.isEmpty { pieces.append(.written(Text(uncheckedUTF8: written))) }
      written = []
      pieces.append(.fact(fact))
      rest = rest[(end + 1)...]
    }
    if !written.isEmpty { pieces.append(.written(Text(uncheckedUTF8: written))) }
    self.pieces = pieces
  }

  /// The labels of the tenant that it needs.
  var labels: [Text] {
    pieces.compactMap { if case .fact(.tenantLabel(let name)) = $0 { name } else { nil } }
  }

  /// Whether it is the same for every tenant and request.
  var isConstant: Bool {
    pieces.allSatisfy { if case .written = $0 { true } else { false } }
  }

  var needsTenant: Bool {
    pieces.contains { piece in
      switch piece {
      case .fact(.tenantID), .fact(.tenantLabel): true
      case .fact(.appInstanceID), .written: false
      }
    }
  }
}

/// Why a template has no value.
enum Unresolved: Error, Hashable, Sendable {
  case tenantHasNoLabel(Text)
  case requestNamesNoAppInstance
  case badSyntax
  /// The service would refuse the tag.
  case noTagValue

  static let tagValueLimits = "the value of a tag must have 1 to 256 characters"

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
    do throws(Template.SyntaxError) {
      self.init(try Template(source), for: tenant)
    } catch {
      pieces = []
      state = .unresolved(.badSyntax)
    }
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
    guard !value.isEmpty, value.utf8.count <= 256 || value.scalarCount <= 256 else { throw .noTagValue }
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

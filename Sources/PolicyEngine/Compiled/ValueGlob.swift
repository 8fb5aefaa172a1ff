internal import Patterns
internal import Primitives

/// One of the `values` of a tag: a glob in which what templates put in is literal.
struct ValueGlob: Sendable {
  private enum State: Sendable {
    case glob(Glob)
    case perRequest(BoundTemplate)
  }

  private let state: State

  init(_ template: BoundTemplate) {
    if template.constant != nil {
      state = .glob(Self.glob(template, appInstanceID: ""))
    } else {
      state = .perRequest(template)
    }
  }

  /// The glob, if it is the same for all requests.
  var constant: Glob? {
    if case .glob(let glob) = state { glob } else { nil }
  }

  func matches(_ value: Span<UInt8>, in request: borrowing GovernedRequest) throws(Unresolved) -> Bool {
    try resolve(for: request).matches(value)
  }

  func resolve(for request: borrowing GovernedRequest) throws(Unresolved) -> Glob {
    switch state {
    case .glob(let glob): return glob
    case .perRequest(let template):
      if let failure = template.failure(for: request) { throw failure }
      return Self.glob(template, appInstanceID: request.appInstanceId.uncheckedText)
    }
  }

  /// - Parameter appInstanceID: matters only if the template needs it.
  static func glob(_ template: BoundTemplate, appInstanceID: Text) -> Glob {
    Glob(
      parts: template.pieces.map { piece in
        switch piece {
        case .written(let text): .glob(text)
        case .literal(let text): .literal(text)
        case .appInstanceID: .literal(appInstanceID)
        }
      })
  }
}

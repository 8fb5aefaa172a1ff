package import Primitives

/// A text of a policy in which facts of the tenant or the request may stand: `gatehouse/${tenant.id}`.
package struct Template: Hashable, Sendable {
  package enum Fact: Hashable, Sendable {
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

  package enum Piece: Hashable, Sendable {
    /// As it stands in the policy.
    case written(Text)
    case fact(Fact)
  }

  package enum SyntaxError: Error, Hashable {
    /// `${` without `}`.
    case unclosed
    case unknownFact(Text)

    package var message: String {
      switch self {
      case .unclosed: "expected a closing } after ${"
      case .unknownFact(let name):
        "unknown placeholder \(quoted("${\(name)}"))"
          + "; known: \"${tenant.id}\", \"${tenant.labels.NAME}\", \"${request.appInstanceId}\""
      }
    }
  }

  package let pieces: [Piece]

  package init(pieces: [Piece]) { self.pieces = pieces }

  package init(_ source: Text) throws(SyntaxError) {
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
      guard let fact = Fact(name: name) else { throw .unknownFact(Text(uncheckedUTF8: Array(name))) }
      if !written.isEmpty { pieces.append(.written(Text(uncheckedUTF8: written))) }
      written = []
      pieces.append(.fact(fact))
      rest = rest[(end + 1)...]
    }
    if !written.isEmpty { pieces.append(.written(Text(uncheckedUTF8: written))) }
    self.pieces = pieces
  }
}

extension Text {
  /// Whether a template stands in it, readable or not.
  package var hasTemplate: Bool { string.contains("${") }
}

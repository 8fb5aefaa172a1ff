package import Primitives

/// What inputs of this service model are made of: a kind of value with its constraints.
package struct ModelShape: Sendable {
  enum Kind: Sendable {
    case string(ModelString)
    case enumeration(ImmortalArray<StaticString>)
    case integer(ClosedRange<Int>)
    case list(ModelList)
    case structure(ModelStructure)
  }

  private let immortal: Immortal<Kind>

  private init(_ kind: Kind) { immortal = Immortal(kind) }

  var kind: Kind {
    @inline(__always) _read { yield immortal.value }
  }

  static func string(_ constraint: ModelString) -> ModelShape { ModelShape(.string(constraint)) }
  static func enumeration(_ accepted: ImmortalArray<StaticString>) -> ModelShape {
    ModelShape(.enumeration(accepted))
  }
  static func integer(_ range: ClosedRange<Int>) -> ModelShape { ModelShape(.integer(range)) }
  static func list(_ constraint: ModelList) -> ModelShape { ModelShape(.list(constraint)) }
  static func structure(_ constraint: ModelStructure) -> ModelShape { ModelShape(.structure(constraint)) }
}

struct ModelString: Sendable {
  /// In Unicode scalars.
  let length: ClosedRange<Int>
  let pattern: ModelPattern

  init(_ length: ClosedRange<Int>, _ pattern: ModelPattern) {
    self.length = length
    self.pattern = pattern
  }
}

struct ModelList: Sendable {
  let element: ModelShape
  let count: ClosedRange<Int>
  /// Elements are tags, no two of which may have one key.
  let holdsTags: Bool

  init(of element: ModelShape, count: ClosedRange<Int>, holdsTags: Bool = false) {
    self.element = element
    self.count = count
    self.holdsTags = holdsTags
  }
}

package struct ModelStructure: Sendable {
  private struct Layout: Sendable {
    let members: ImmortalArray<ModelMember>
    let demanded: UInt64
    let hasBodyMembers: Bool
    let hasTargetMembers: Bool
  }

  private let layout: Immortal<Layout>

  init(_ members: ImmortalArray<ModelMember>) {
    // The validator marks the members that it has seen in one word.
    precondition(
      members.count <= UInt64.bitWidth, "a structure with more members than the validator can mark")
    let demanded = members.indices.reduce(0 as UInt64) { bits, index in
      let member = members[index]
      let isDemanded = member.isRequired && !member.isIdempotencyToken && member.isInBody
      return isDemanded ? bits | 1 << UInt64(index) : bits
    }
    layout = Immortal(
      Layout(
        members: members, demanded: demanded, hasBodyMembers: members.contains { $0.isInBody },
        hasTargetMembers: members.contains { !$0.isInBody }))
  }

  package var members: ImmortalArray<ModelMember> { layout.value.members }
  /// A bit for each body member that a request must bear.
  var demanded: UInt64 { layout.value.demanded }
  var hasBodyMembers: Bool { layout.value.hasBodyMembers }
  /// Whether members stand in path or query.
  var hasTargetMembers: Bool { layout.value.hasTargetMembers }
}

/// One member of an input structure.
package struct ModelMember: Sendable {
  package enum Location: Sendable {
    case body
    /// In the path, at the label with this name.
    case path(StaticString)
    /// In the query, under this name.
    case query(StaticString)
  }

  /// `AppInstanceUserArn`: its key in a body.
  package let name: StaticString
  package let shape: ModelShape
  package let location: Location
  package let isInBody: Bool
  package let isRequired: Bool
  /// The service recognises repeated requests by it. SDKs fill it in, and so does the gateway: its absence is
  /// no violation.
  package let isIdempotencyToken: Bool
  /// What its ARN names, if the caller is to be confined by it.
  package let confines: ConfiningResource?

  init(
    _ name: StaticString, _ shape: ModelShape, _ location: Location = .body, isRequired: Bool = false,
    isIdempotencyToken: Bool = false, confines: ConfiningResource? = nil
  ) {
    self.name = name
    self.shape = shape
    self.location = location
    isInBody = if case .body = location { true } else { false }
    self.isRequired = isRequired
    self.isIdempotencyToken = isIdempotencyToken
    self.confines = confines
  }

  /// The name as text, for those that keep it.
  package var text: Text { Text(name) }
}

extension Text {
  package init(_ literal: StaticString) {
    var utf8: [UInt8] = []
    utf8.append(literal)
    self.init(uncheckedUTF8: utf8)
  }

  func equals(_ literal: StaticString) -> Bool { utf8.span.equals(literal) }
}

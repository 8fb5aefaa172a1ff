package import Primitives

/// What the service model says about one operation; the table of all of them is generated.
package struct OperationModel: Sendable {
  package enum Method: UInt8, Sendable {
    case get, post, put, delete

    package var name: Text { Self.names[Int(rawValue)] }

    private static let names: [Text] = ["GET", "POST", "PUT", "DELETE"]
  }

  /// `CreateAppInstanceUser`
  package let name: Text
  package let method: Method
  /// `/app-instance-users/{appInstanceUserArn}`
  package let pathTemplate: Text
  /// The query pair that tells apart operations which share method and path: `operation=tag-resource`.
  package let discriminator: (name: Text, value: Text)?
  /// The status of upstream's answer when it did what was asked.
  package let successStatus: Int
  /// Whether sending it again leaves the same state (RFC 9110 section 9.2.2, and tagging, which is a POST here).
  package let isIdempotent: Bool
  package let input: ModelStructure
  /// The body member by which the service recognises a request that it has served already.
  package let idempotencyToken: ModelMember?

  /// Whether the path is the same for every request.
  package let isPathConstant: Bool
  /// Whether the only member that confines its caller is an AppInstanceArn in the body.
  let isConfinedByBodyAlone: Bool

  init(
    name: Text, method: Method, path: Text, discriminator: (name: Text, value: Text)?, successStatus: Int,
    isIdempotent: Bool, input: ModelStructure
  ) {
    self.name = name
    self.method = method
    pathTemplate = path
    self.discriminator = discriminator
    self.successStatus = successStatus
    self.isIdempotent = isIdempotent
    self.input = input
    idempotencyToken = input.members.first { $0.isIdempotencyToken }
    isPathConstant = !path.utf8.contains(UInt8(ascii: "{"))
    let confining = input.members.filter { $0.confines != nil }
    isConfinedByBodyAlone =
      confining.count == 1
      && confining.allSatisfy {
        $0.isInBody && $0.confines == .appInstance && $0.text == "AppInstanceArn"
      }
  }
}

extension Operation {
  /// The names of all operations of the service model.
  package static var allNames: [String] { allCases.map(\.name) }

  /// The shape alone, which unlike the rest of the model costs nothing to hold.
  var input: ModelStructure { OperationModel.table[Int(rawValue)].input }

  package var model: OperationModel { OperationModel.table[Int(rawValue)] }

  /// As the service model, tenants files and audit records write it: `CreateAppInstanceUser`.
  package var name: String { text.string }
  package var text: Text { OperationModel.table[Int(rawValue)].name }

  /// Reads leave upstream as it was.
  package var isRead: Bool { OperationModel.table[Int(rawValue)].method == .get }
  package var isIdempotent: Bool { OperationModel.table[Int(rawValue)].isIdempotent }
  package var successStatus: Int { OperationModel.table[Int(rawValue)].successStatus }
  /// `ClientRequestToken` where the operation has one.
  package var idempotencyToken: ModelMember? { OperationModel.table[Int(rawValue)].idempotencyToken }

  /// `nil` when the service model has no such operation. Names are case-sensitive.
  package init?(name: Text) {
    guard let found = Self.allCases.first(where: { $0.text == name }) else { return nil }
    self = found
  }
}

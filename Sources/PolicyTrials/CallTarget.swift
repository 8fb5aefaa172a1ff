package import ChimeIdentity
internal import Patterns
package import Primitives
internal import StrictJSON

/// Why a request target does not name the operation that it is given for.
package struct TargetFault: Error, Hashable {
  /// Lower case, no full stop.
  package let message: String
}

/// Names the call that a tried request is.
package enum CallTarget {
  /// The call that an operation and its target are.
  ///
  /// - Parameter target: path and query; `nil` for an operation that has no facts in them.
  package static func identify(
    _ operation: Operation, target: Text?
  ) throws(TargetFault) -> IdentifiedCall {
    let model = operation.model
    guard let target = target ?? plainTarget(of: model) else {
      throw TargetFault(
        message: "\(operation.name) names what it is about in its target; expected \(template(of: model)) "
          + "with the ARN percent-encoded")
    }
    let parts = target.utf8.split(
      separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
    do throws(IdentificationFailure) {
      let call = try Operation.identify(
        method: model.method.name.utf8[...], path: parts[0], query: parts.count > 1 ? parts[1] : nil)
      guard call.operation == operation else { throw .unknownOperation }
      return call
    } catch {
      throw TargetFault(
        message: "`\(target.onOneLine)` is no target of \(operation.name): \(error.message); expected "
          + template(of: model).string)
    }
  }

  /// A target made from the members of a request.
  struct Made {
    let target: Text
    /// The members that are left for the body.
    let rest: [LocatedJSON.Member]
    /// Members that were not given, and what was put in their place.
    let standIns: [StandIn]
  }

  struct StandIn {
    let member: String
    let value: String
  }

  /// The target whose path and query hold these members.
  ///
  /// A path label without a member gets the ARN of a stand-in, so that a case which is about the body alone need
  /// not name anybody. It lies in one of the tenant's AppInstances where these are named without wildcards.
  static func make(
    _ operation: Operation, from members: [LocatedJSON.Member], in appInstances: [Glob]? = nil
  ) -> Made {
    var standIns: [StandIn] = []
    var path: [UInt8] = []
    var query: [UInt8] = []
    var used: Set<String> = []
    let inputs = operation.model.input.members
    for segment in operation.model.pathTemplate.utf8.dropFirst().split(separator: UInt8(ascii: "/")) {
      path.append(UInt8(ascii: "/"))
      guard segment.first == UInt8(ascii: "{") else {
        path += segment
        continue
      }
      let label = Text(uncheckedUTF8: Array(segment.dropFirst().dropLast()))
      let member = inputs.first {
        if case .path(let name) = $0.location { Text(name) == label } else { false }
      }
      let name = member?.text.string ?? ""
      let given = members.first { $0.key == name }?.value.string
      if given != nil { used.insert(name) }
      let value = given ?? standIn(for: name, in: appInstances)
      if given == nil { standIns.append(StandIn(member: name, value: value)) }
      PercentCoding.encode(value.utf8, into: &path)
    }
    if let pair = operation.model.discriminator { append(pair.name, pair.value.string, to: &query) }
    for input in inputs {
      guard case .query(let wireName) = input.location,
        let value = members.first(where: { $0.key == input.text.string })?.value
      else { continue }
      used.insert(input.text.string)
      append(Text(wireName), value.string ?? value.integer.map { "\($0)" } ?? "", to: &query)
    }
    let target = query.isEmpty ? path : path + [UInt8(ascii: "?")] + query
    return Made(
      target: Text(uncheckedUTF8: target), rest: members.filter { !used.contains($0.key) }, standIns: standIns
    )
  }

  private static func append(_ name: Text, _ value: String, to query: inout [UInt8]) {
    if !query.isEmpty { query.append(UInt8(ascii: "&")) }
    PercentCoding.encode(name.utf8, into: &query)
    query.append(UInt8(ascii: "="))
    PercentCoding.encode(value.utf8, into: &query)
  }

  private static func standIn(for member: String, in appInstances: [Glob]?) -> String {
    let named = appInstances?.lazy.map(\.source).first { glob in
      ChimeARN(glob)?.resource == .appInstance && !glob.utf8.contains(where: { "*?".utf8.contains($0) })
    }
    let appInstance =
      named?.string
      ?? "arn:aws:chime:us-east-1:123456789012:app-instance/00000000-0000-0000-0000-000000000000"
    switch member {
    case "AppInstanceArn": return appInstance
    case "AppInstanceBotArn": return appInstance + "/bot/somebot"
    case "EndpointId": return "someendpoint"
    default: return appInstance + "/user/somebody"
    }
  }

  /// The target, if nothing must be put into its path.
  private static func plainTarget(of model: OperationModel) -> Text? {
    model.isPathConstant ? template(of: model) : nil
  }

  private static func template(of model: OperationModel) -> Text {
    guard let pair = model.discriminator else { return model.pathTemplate }
    return model.pathTemplate + "?" + pair.name + "=" + pair.value
  }
}

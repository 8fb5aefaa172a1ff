package import Configuration
internal import Primitives
package import SigV4
internal import XML

/// A call of AWS STS (Query protocol, version 2011-06-15): the form that is sent, and what the answer says.
package enum STSCall {
  package static let contentType = "application/x-www-form-urlencoded; charset=utf-8"
  static let name = "STS"

  /// Signed with the credentials that assume the role.
  package static func assumeRole(_ role: GatewayConfiguration.RoleToAssume) -> [UInt8] {
    var fields = [
      ("Action", "AssumeRole"), ("Version", version), ("RoleArn", role.roleArn),
      ("RoleSessionName", role.sessionName),
    ]
    if let id = role.externalID { fields.append(("ExternalId", id)) }
    if let identity = role.sourceIdentity { fields.append(("SourceIdentity", identity)) }
    return form(fields)
  }

  /// Not signed: the token proves who asks.
  package static func assumeRole(_ identity: WebIdentity, token: String) -> [UInt8] {
    form([
      ("Action", "AssumeRoleWithWebIdentity"), ("Version", version), ("RoleArn", identity.roleArn),
      ("RoleSessionName", identity.sessionName), ("WebIdentityToken", token),
    ])
  }

  /// Where STS is: what is configured, the environment's, or the region's own.
  package static func endpoint(
    _ configured: UpstreamEndpoint?, region: String, _ environment: EnvironmentReader
  ) throws(CredentialFailure) -> UpstreamEndpoint {
    if let configured { return configured }
    if let named = environment.value("AWS_ENDPOINT_URL_STS") {
      guard let parts = URLParts(named), parts.path == "/", parts.query.isEmpty else {
        throw .variable("AWS_ENDPOINT_URL_STS", expected: "an http or https URL without path")
      }
      return parts.endpoint
    }
    guard let endpoint = UpstreamEndpoint(written: "https://sts.\(region).amazonaws.com") else {
      throw .unreachable(name, reason: "the region has no endpoint")
    }
    return endpoint
  }

  /// - Parameter sent: the form; a message that repeats a token of it is not shown.
  package static func credentials(
    in answer: [UInt8], status: Int, sentToken: String? = nil
  ) throws(CredentialFailure) -> Credentials {
    let root: XMLElement
    do throws(XMLFault) {
      root = try XMLElement.parse(answer)
    } catch {
      guard status == 200 else { throw .refused(name, status: status, reason: "") }
      throw .unreadable(name, reason: "\(error)")
    }
    guard status == 200 else { throw .refused(name, status: status, reason: reason(of: root, sentToken)) }
    guard let result = root.children.first(where: { $0.name.hasSuffix("Result") })?["Credentials"] else {
      throw .unreadable(name, reason: "it has no `Credentials`")
    }
    func text(_ member: String) throws(CredentialFailure) -> String {
      guard let text = result[member]?.text.trimmed, !text.isEmpty else {
        throw .unreadable(name, reason: "`\(member)` is missing")
      }
      return text
    }
    guard let end = WallClockTime(rfc3339: try text("Expiration")) else {
      throw .unreadable(name, reason: "`Expiration` is no RFC 3339 time")
    }
    return try CredentialAnswer.credentials(
      id: try text("AccessKeyId"), secret: try text("SecretAccessKey"), token: try text("SessionToken"),
      end: end, of: name)
  }

  private static let version = "2011-06-15"

  private static func form(_ fields: [(String, String)]) -> [UInt8] {
    var out: [UInt8] = []
    for (name, value) in fields {
      if !out.isEmpty { out.append(UInt8(ascii: "&")) }
      out += Array(name.utf8)
      out.append(UInt8(ascii: "="))
      PercentCoding.encode(value.utf8, into: &out)
    }
    return out
  }

  private static func reason(of root: XMLElement, _ token: String?) -> String {
    guard let error = root["Error"] else { return "" }
    let code = CredentialAnswer.shown(error["Code"]?.text ?? "")
    let message = error["Message"]?.text ?? ""
    if let token, !token.isEmpty, message.contains(token) { return code }
    let words = CredentialAnswer.shown(message)
    return words.isEmpty ? code : "\(code): \(words)"
  }
}

extension String {
  /// Without white space at either end, which a pretty-printed document has.
  var trimmed: String {
    let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !isSpace($0) }),
      let last = scalars.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(scalars[first...last])
  }
}

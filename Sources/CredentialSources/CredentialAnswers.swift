internal import Primitives
package import SigV4
internal import StrictJSON

/// Credentials in JSON, as programs, container endpoints and the metadata service give them.
package enum CredentialAnswer {
  package enum Form: Sendable {
    /// What `credential_process` prints.
    case process
    case container
    case instance

    fileprivate var name: String {
      switch self {
      case .process: "the credential process"
      case .container: "the container's endpoint"
      case .instance: "the instance's metadata service"
      }
    }
  }

  package static func parse(_ bytes: [UInt8], as form: Form) throws(CredentialFailure) -> Credentials {
    let json: LocatedJSON
    do throws(LocatedSyntaxError) {
      json = try parseLocated(bytes)
    } catch {
      // Where, and not what: the text may hold a secret.
      throw .unreadable(
        form.name, reason: "no JSON, at line \(error.position.line), column \(error.position.column)")
    }
    if form == .process {
      guard json["Version"]?.integer == 1 else { throw .unreadable(form.name, reason: "`Version` is not 1") }
    } else if let code = json["Code"]?.string ?? json["code"]?.string, code != "Success" {
      throw .refused(form.name, status: 200, reason: shown(code))
    }
    func text(_ name: String) throws(CredentialFailure) -> String {
      guard let value = json[name]?.string else {
        throw .unreadable(form.name, reason: "`\(name)` is missing")
      }
      return value
    }
    let (id, secret) = (try text("AccessKeyId"), try text("SecretAccessKey"))
    let tokenName = form == .process ? "SessionToken" : "Token"
    var end: WallClockTime?
    if let node = json["Expiration"], !node.isNull {
      guard let time = node.string.flatMap({ WallClockTime(rfc3339: $0) }) else {
        throw .unreadable(form.name, reason: "`Expiration` is no RFC 3339 time")
      }
      end = time
    }
    let token = json[tokenName]?.string
    return try credentials(
      id: id, secret: secret, token: token?.isEmpty == true ? nil : token, end: end, of: form.name)
  }

  static func credentials(
    id: String, secret: String, token: String?, end: WallClockTime?, of who: String
  ) throws(CredentialFailure) -> Credentials {
    do throws(CredentialProblem) {
      return try CredentialParsing.fromKeys(
        accessKeyId: id, secretAccessKey: secret, sessionToken: token, expiration: end)
    } catch {
      throw .unreadable(who, reason: "\(error)")
    }
  }

  /// A code or message of others in a message of ours: visible, and not long.
  package static func shown(_ text: String) -> String {
    let visible = text.unicodeScalars.prefix(300).filter { $0.value >= 0x20 && $0.value < 0x7F }
    return String(String.UnicodeScalarView(visible))
  }
}

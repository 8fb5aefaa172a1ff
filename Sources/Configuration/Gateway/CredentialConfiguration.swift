package import OpenSSLCrypto
internal import Primitives
internal import StrictJSON

extension GatewayConfiguration {
  /// The gateway's own AWS credentials: where they come from, and which role is then assumed with them.
  package struct CredentialSettings: Sendable {
    package var source: CredentialSource
    package var assumeRole: RoleToAssume?
    /// Wins over `AWS_ENDPOINT_URL_STS`; `nil`: that, or the region's own.
    package var stsEndpoint: UpstreamEndpoint?

    package init(
      _ source: CredentialSource, assumeRole: RoleToAssume? = nil, stsEndpoint: UpstreamEndpoint? = nil
    ) {
      self.source = source
      self.assumeRole = assumeRole
      self.stsEndpoint = stsEndpoint
    }
  }

  package enum CredentialSource: Sendable {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    case environment
    /// A section of the SDKs' files; `nil`: as the environment or the SDKs' defaults say.
    case profile(name: String?, file: FileReference?)
    case fixed(accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret?)
    /// What a program prints, as the SDKs' `credential_process` does: its name and arguments.
    case process([String])
    /// The endpoint that ECS or EKS Pod Identity names in the environment.
    case container
    /// The instance's metadata service, version 2.
    case instance
    /// A role that STS gives for a token in a file (IRSA).
    case webIdentity
    /// Environment, web identity, profile, container, instance: the first that is there.
    case chain
  }

  package struct RoleToAssume: Sendable, Hashable {
    package var roleArn: String
    package var externalID: String?
    package var sessionName: String
    /// CloudTrail's `sourceIdentity`.
    package var sourceIdentity: String?

    package static let standardSessionName = "gatehouse"

    package init(
      roleArn: String, externalID: String? = nil, sessionName: String = standardSessionName,
      sourceIdentity: String? = nil
    ) {
      self.roleArn = roleArn
      self.externalID = externalID
      self.sessionName = sessionName
      self.sourceIdentity = sourceIdentity
    }
  }
}

extension GatewayConfiguration.CredentialSettings {
  /// The same for settings that name the same source: what it has given need not be asked for anew.
  package var fingerprint: SHA256Digest {
    var bytes: [UInt8] = []
    func add(_ parts: [String?]) {
      for part in parts {
        bytes += Array((part.map { "\($0.utf8.count):\($0)" } ?? "-").utf8)
      }
    }
    switch source {
    case .environment: add(["environment"])
    case .profile(let name, let file): add(["profile", name, file?.path])
    case .fixed(let id, let secret, let token):
      add(["static", id])
      for secret in [secret, token] {
        secret?.withBytes { SHA256.digest($0).withBytes { bytes += $0 } }
        add([nil])
      }
    case .process(let words): add(["process"] + words)
    case .container: add(["container"])
    case .instance: add(["instance"])
    case .webIdentity: add(["webIdentity"])
    case .chain: add(["chain"])
    }
    add([assumeRole?.roleArn, assumeRole?.externalID, assumeRole?.sessionName, stsEndpoint?.description])
    return SHA256.digest(bytes)
  }
}

extension GatewayConfiguration.CredentialSettings {
  static let form = Form<Self>.variants(
    by: "source", "an object with a \"source\"",
    [
      ("environment", { finish($0, .environment) }),
      (
        "profile",
        { keys in
          let name = keys.optional(
            "profile", .nonEmpty("the name of a profile"), "Section of the credentials and config files.")
          let file = keys.optional(
            "file", .path, "The credentials file; when absent, as the AWS SDKs find it.")
          return finish(keys, .profile(name: name, file: file))
        }
      ),
      (
        "static",
        { keys in
          let id = keys.required("accessKeyId", .nonEmpty("an AWS access key id"), "AWS access key id.")
          let secret = keys.required(
            "secretAccessKey", .secret, "AWS secret access key; best as ${ENV:NAME}.")
          let token =
            keys.optional("sessionToken", .secretOrNone, "AWS session token; empty for none.") ?? nil
          guard let id, let secret else { return finish(keys, nil) }
          return finish(keys, .fixed(accessKeyID: id, secretAccessKey: secret, sessionToken: token))
        }
      ),
      (
        "process",
        { keys in
          let command = keys.required(
            "command", .command,
            "Program and arguments that print what `credential_process` prints; split at spaces, double quotes group, no shell."
          )
          return finish(keys, command.map { .process($0) })
        }
      ),
      ("container", { finish($0, .container) }),
      ("instance", { finish($0, .instance) }),
      ("webIdentity", { finish($0, .webIdentity) }),
      ("chain", { finish($0, .chain) }),
    ])

  /// What every source may carry.
  private static func finish(_ keys: Keys, _ source: GatewayConfiguration.CredentialSource?) -> Self? {
    let role = keys.optional(
      "assumeRole", GatewayConfiguration.RoleToAssume.form, "A role to assume with these credentials.")
    let endpoint = keys.optional(
      "stsEndpoint", .endpoint, "Where STS is; when absent, $AWS_ENDPOINT_URL_STS or the region's own.")
    return source.map { Self($0, assumeRole: role, stsEndpoint: endpoint) }
  }
}

extension GatewayConfiguration.RoleToAssume {
  fileprivate static let form = Form<Self>.object("an object with a \"roleArn\"") { keys in
    let arn = keys.required("roleArn", .roleArn, "ARN of the role.")
    let externalID = keys.optional("externalId", .externalID, "What the role's trust policy asks for.")
    let sessionName = keys.value(
      "sessionName", .sessionName, default: standardSessionName, "RoleSessionName, as CloudTrail shows it.")
    return arn.map { Self(roleArn: $0, externalID: externalID, sessionName: sessionName) }
  }
}

/// What STS takes, by its service model.
extension Form where Value == String {
  static var roleArn: Form {
    let pattern: JSONLiteral = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+$"
    return parsed(
      "the ARN of an IAM role such as \"arn:aws:iam::123456789012:role/gatehouse\"",
      schema: ["type": "string", "pattern": pattern, "maxLength": 2048]
    ) { text throws(Rejection) in isRoleArn(text) ? text : nil }
  }

  fileprivate static var sessionName: Form {
    let pattern: JSONLiteral = "^[A-Za-z0-9_+=,.@-]{2,64}$"
    return parsed(
      "a session name of 2 to 64 letters, digits and _ + = , . @ -",
      schema: ["type": "string", "pattern": pattern]
    ) { text throws(Rejection) in isRoleSessionName(text) ? text : nil }
  }

  fileprivate static var externalID: Form {
    let pattern: JSONLiteral = "^[A-Za-z0-9_+=,.@:/-]{2,1224}$"
    return parsed(
      "an external id of 2 to 1224 letters, digits and _ + = , . @ : / -",
      schema: ["type": "string", "pattern": pattern]
    ) { text throws(Rejection) in
      (2...1224).contains(text.utf8.count)
        && text.utf8.allSatisfy { isSTSNameByte($0) || ":/".utf8.contains($0) }
        ? text : nil
    }
  }

  private static func isRoleArn(_ text: String) -> Bool {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "iam", parts[3].isEmpty,
      parts[4].utf8.count == 12, parts[4].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return false }
    return parts[1].utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") }
      && parts[5].hasPrefix("role/") && parts[5].utf8.count > 5
  }
}

extension Form where Value == [String] {
  /// A program and its arguments in one string.
  fileprivate static var command: Form {
    parsed(
      "a command such as \"/opt/bin/credentials --profile chime\"",
      schema: ["type": "string", "minLength": 1]
    ) {
      text throws(Rejection) in CommandLineWords.split(text)
    }
  }
}

/// RoleSessionName and SourceIdentity as STS takes them.
package func isRoleSessionName(_ text: String) -> Bool {
  (2...64).contains(text.utf8.count) && text.utf8.allSatisfy { isSTSNameByte($0) }
}

private func isSTSNameByte(_ byte: UInt8) -> Bool {
  isASCIIAlphanumeric(byte) || "_+=,.@-".utf8.contains(byte)
}

/// A command that no shell reads: words are split at spaces, and double quotes group.
package enum CommandLineWords {
  /// `nil` when there is no word, a quotation mark is not closed, or a NUL is in it.
  package static func split(_ text: String) -> [String]? {
    var words: [String] = []
    var word: [UInt8]?
    var isQuoted = false
    for byte in text.utf8 {
      switch byte {
      case 0: return nil
      case UInt8(ascii: "\""):
        isQuoted.toggle()
        // An empty pair is an empty argument.
        word = word ?? []
      case UInt8(ascii: " "), UInt8(ascii: "\t"):
        guard !isQuoted else { fallthrough }
        if let done = word { words.append(String(decoding: done, as: UTF8.self)) }
        word = nil
      default: word = (word ?? []) + [byte]
      }
    }
    guard !isQuoted else { return nil }
    if let word { words.append(String(decoding: word, as: UTF8.self)) }
    return words.first?.isEmpty == false ? words : nil
  }
}

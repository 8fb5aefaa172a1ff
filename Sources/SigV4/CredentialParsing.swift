package import OpenSSLCrypto
package import Primitives

/// Reads credentials out of what the edge has fetched: environment variables, profile files.
/// Names and precedence are botocore's (`botocore/credentials.py`).
package enum CredentialParsing {
  /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` (or its older name
  /// `AWS_SECURITY_TOKEN`) and `AWS_CREDENTIAL_EXPIRATION`. An empty variable counts as none.
  package static func fromEnvironment(
    _ environment: Environment
  ) throws(CredentialProblem) -> Credentials {
    let value = environment.nonEmpty
    guard let id = value("AWS_ACCESS_KEY_ID") else {
      throw .variableMissing("AWS_ACCESS_KEY_ID")
    }
    guard let secret = value("AWS_SECRET_ACCESS_KEY") else {
      throw .variableMissing("AWS_SECRET_ACCESS_KEY")
    }
    var expiration: WallClockTime?
    if let text = value("AWS_CREDENTIAL_EXPIRATION") {
      guard let time = WallClockTime(rfc3339: text) else {
        throw .malformed("AWS_CREDENTIAL_EXPIRATION")
      }
      expiration = time
    }
    return try credentials(
      id: id, secret: secret, token: value("AWS_SECURITY_TOKEN") ?? value("AWS_SESSION_TOKEN"),
      expiration: expiration,
      names: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
  }

  /// From the profile's keys in the credentials file, else from those in the config file. `nil` is a
  /// file that is not there.
  package static func fromProfile(
    credentialsFile: String?, configFile: String?, profile: String
  ) throws(CredentialProblem) -> Credentials {
    let shared = try section(of: credentialsFile, file: .credentials) { $0.section(profile) }
    if let shared, shared[idOption] != nil {
      return try credentials(in: shared, profile: profile, file: .credentials)
    }
    let config = try section(of: configFile, file: .config) { $0.profileSection(profile) }
    if let config, config[idOption] != nil {
      return try credentials(in: config, profile: profile, file: .config)
    }
    guard shared != nil || config != nil else { throw .profileMissing(profile) }
    for options in [shared, config].compactMap({ $0 }) {
      if let other = otherSources.first(where: { options[$0] != nil }) {
        throw .profileUsesAnotherSource(profile: profile, option: other)
      }
    }
    throw .optionMissing(option: idOption, profile: profile, file: shared == nil ? .config : .credentials)
  }

  /// What a profile says in both files, where the credentials file wins; `nil`: neither has it.
  package static func options(
    credentialsFile: String?, configFile: String?, profile: String
  ) throws(CredentialProblem) -> [String: String]? {
    let shared = try section(of: credentialsFile, file: .credentials) { $0.section(profile) }
    let config = try section(of: configFile, file: .config) { $0.profileSection(profile) }
    guard shared != nil || config != nil else { return nil }
    return (config ?? [:]).merging(shared ?? [:]) { _, own in own }
  }

  /// Keys given one by one, in the configuration or by whoever was asked for them.
  package static func fromKeys(
    accessKeyId: String, secretAccessKey: String, sessionToken: String?, expiration: WallClockTime? = nil
  ) throws(CredentialProblem) -> Credentials {
    try credentials(
      id: accessKeyId, secret: secretAccessKey, token: sessionToken, expiration: expiration,
      names: ("accessKeyId", "secretAccessKey", "sessionToken"))
  }

  private static let idOption = "aws_access_key_id"
  private static let secretOption = "aws_secret_access_key"
  private static let tokenOptions = ["aws_security_token", "aws_session_token"]
  /// Options by which a profile gets its credentials from elsewhere.
  private static let otherSources = [
    "role_arn", "credential_process", "web_identity_token_file", "sso_session", "sso_start_url",
    "credential_source", "login_session",
  ]

  private static func section(
    of text: String?, file: ProfileFileKind, pick: (ProfileFile) -> [String: String]?
  ) throws(CredentialProblem) -> [String: String]? {
    guard let text else { return nil }
    do {
      return pick(try ProfileFile(reading: text))
    } catch {
      throw .unreadable(file, error)
    }
  }

  private static func credentials(
    in options: [String: String], profile: String, file: ProfileFileKind
  ) throws(CredentialProblem) -> Credentials {
    guard let secret = options[secretOption] else {
      throw .optionMissing(option: secretOption, profile: profile, file: file)
    }
    return try credentials(
      id: options[idOption] ?? "", secret: secret,
      // One that is written and empty is none, as the SDKs have it.
      token: tokenOptions.lazy.compactMap { options[$0] }.first { !$0.isEmpty }, expiration: nil,
      names: (idOption, secretOption, "aws_session_token"))
  }

  /// Checks what will stand in headers: an access key id or token with a space or a line break would
  /// end its field early.
  private static func credentials(
    id: String, secret: String, token: String?, expiration: WallClockTime?,
    names: (id: String, secret: String, token: String)
  ) throws(CredentialProblem) -> Credentials {
    guard isVisible(id), !id.utf8.contains(UInt8(ascii: "/")), !id.utf8.contains(UInt8(ascii: ","))
    else { throw .malformed(names.id) }
    guard !secret.isEmpty else { throw .malformed(names.secret) }
    if let token, !isVisible(token) { throw .malformed(names.token) }
    return Credentials(
      accessKeyId: Text(id), secret: Secret(secret.utf8), sessionToken: token.map { Secret($0.utf8) },
      expiration: expiration)
  }

  private static func isVisible(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}

package enum ProfileFileKind: String, Hashable, Sendable { case credentials, config }

/// Why there are no credentials. The texts name what is missing and never show a value.
package enum CredentialProblem: Error, Hashable, Sendable {
  case variableMissing(String)
  case profileMissing(String)
  case optionMissing(option: String, profile: String, file: ProfileFileKind)
  /// The profile has no keys of its own: it names a role, a process or single sign-on.
  case profileUsesAnotherSource(profile: String, option: String)
  case unreadable(ProfileFileKind, ProfileFileProblem)
  /// The value of this variable or option is empty, or holds what cannot stand in a header.
  case malformed(String)
}

extension CredentialProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .variableMissing(let name):
      "the environment variable `\(name)` is not set"
    case .profileMissing(let profile):
      "there is no profile `\(profile)` in the credentials file or the config file"
    case .optionMissing(let option, let profile, let file):
      "profile `\(profile)` in the \(file.rawValue) file has no `\(option)`"
    case .profileUsesAnotherSource(let profile, let option):
      "profile `\(profile)` has no keys of its own but `\(option)`, which the `profile` source does not follow"
    case .unreadable(let file, let problem):
      "the \(file.rawValue) file cannot be read: \(problem)"
    case .malformed(let name):
      "the value of `\(name)` is empty or has characters that credentials do not have"
    }
  }
}

extension ProfileFileProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .optionOutsideSection(let line): "line \(line) stands before the first section"
    case .notAnOption(let line): "line \(line) is neither a section nor `name = value`"
    case .sectionGivenTwice(let name, let line): "line \(line) begins section `\(name)` a second time"
    case .optionGivenTwice(let name, let line): "line \(line) gives `\(name)` a second time"
    }
  }
}

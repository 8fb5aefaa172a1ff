package import OpenSSLCrypto
internal import StrictJSON

extension GatewayConfiguration {
  /// The database that gets a copy of every record of the journal.
  package struct Postgres: Sendable {
    package var url: PostgresURL
    package var passwordFile: FileReference?
    /// What `passwordFile` held when the configuration was loaded.
    package var password: Secret?
    /// The database schema of the tables.
    package var schema: String
    /// Under what name this gateway's records stand there; `nil`: the journal's identity.
    package var gatewayId: String?
    /// Records in one transaction at most.
    package var batch: Int
    package var connectTimeout: Duration
  }

  /// Where a database is. The whole may hold a password, so only a part of it is ever shown.
  package struct PostgresURL: Sendable {
    package let secret: Secret
    /// `host:port/db`.
    package let shown: String
    let position: SourcePosition
    let hasPassword: Bool
    /// Whether the password stands in the file itself.
    let isPasswordWritten: Bool
    /// Whether all hosts are this machine.
    let isLocal: Bool
    /// Whether the server must prove that it is the one that is meant.
    let isVerified: Bool

    /// `nil` when it is no such URL.
    /// - Parameter written: as the file has it, with its references to the environment.
    init?(_ text: String, written: String, at position: SourcePosition) {
      guard let parts = PostgresURLParts(text) else { return nil }
      self.position = position
      hasPassword = parts.password != nil
      // Of the reference itself nothing is secret.
      let inFile = PostgresURLParts(Self.withoutReferences(written))?.password ?? ""
      isPasswordWritten = inFile.contains { $0 != Self.reference }
      isLocal = parts.isLocal
      isVerified = parts.options["sslmode"] == "verify-full"
      shown = "\(parts.hosts.isEmpty ? "local" : parts.hosts)/\(parts.database)"
      secret = Secret(Array(text.utf8))
    }

    private static let reference: Character = "$"

    /// With one character for each `${ENV:NAME}`.
    private static func withoutReferences(_ text: String) -> String {
      var out = ""
      var rest = text[...]
      while let start = rest.firstRange(of: "${ENV:"),
        let end = rest[start.upperBound...].firstIndex(of: "}")
      {
        out += rest[..<start.lowerBound] + [reference]
        rest = rest[rest.index(after: end)...]
      }
      return out + rest
    }
  }
}

extension GatewayConfiguration.Postgres {
  private static let object = Form<Self?>.object("an object") { keys in
    let url = keys.required("url", GatewayConfiguration.PostgresURL.form, "Where the database is.")
    let file = keys.optional("passwordFile", .path, "File that holds the password.")
    let schema = keys.value(
      "schema", .databaseName, default: "gatehouse", "The database schema of the tables.")
    let gatewayId = keys.optional(
      "gatewayId", .gatewayId, "This gateway's name in the database; the journal's identity when absent.")
    let batch = keys.value("batch", .integer(1...10_000), default: 500, "Records in one transaction at most.")
    let timeout = keys.value(
      "connectTimeout", .positiveDuration, default: .seconds(5),
      "How long to wait for a connection to each host of the URL.")
    if url?.hasPassword == true, file != nil {
      keys.error(
        at: keys.position(of: "url"),
        "only one of a password in \"url\" and \"passwordFile\" may be given")
    }
    return url.map {
      Self(
        url: $0, passwordFile: file, password: nil, schema: schema, gatewayId: gatewayId, batch: batch,
        connectTimeout: timeout)
    }
  }

  /// A string in its place is probably a URL with a password, which no message repeats.
  static let form = Form<Self>("an object with \"url\"", schema: object.schema) { node, reading in
    if case .string = node.value {
      reading.error(at: node.position, "expected an object with \"url\", or null, found a string")
      return nil
    }
    return object.read(node, reading) ?? nil
  }
}

extension GatewayConfiguration.PostgresURL {
  static let form = Form<Self>(
    "a URL such as \"postgresql://user@host:5432/db?sslmode=verify-full\"",
    schema: { $0.string(["type": "string", "pattern": "^postgres(ql)?://", "writeOnly": true]) }
  ) { node, reading in
    let accepted = "a URL such as \"postgresql://user@host:5432/db?sslmode=verify-full\""
    guard case .string(let written) = node.value else {
      reading.error(at: node.position, "expected \(accepted), found \(node.typeName)")
      return nil
    }
    guard let text = reading.substitute(written, at: node.position) else { return nil }
    if let url = Self(text, written: written, at: node.position) {
      if url.isPasswordWritten { reading.noteSecret(written, at: node.position) }
      return url
    }
    reading.error(at: node.position, "expected \(accepted), found another string")
    return nil
  }
}

extension Form where Value == String {
  fileprivate static var databaseName: Form {
    parsed(
      "a name of lower-case letters, digits and \"_\"",
      schema: ["type": "string", "pattern": "^[a-z_][a-z0-9_]{0,62}$"]
    ) { text throws(Rejection) in
      let isLetter = { (character: UInt8) in (0x61...0x7A).contains(character) || character == 0x5F }
      let isGood = text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
      guard isGood, let first = text.utf8.first, isLetter(first), text.utf8.count <= 63 else { return nil }
      return text
    }
  }

  fileprivate static var gatewayId: Form {
    parsed(
      "a name of 1 to 128 printable ASCII characters without spaces",
      schema: ["type": "string", "pattern": "^[!-~]{1,128}$"]
    ) { text throws(Rejection) in
      (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }
  }
}

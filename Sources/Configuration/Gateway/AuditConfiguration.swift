package import OpenSSLCrypto
internal import StrictJSON

extension GatewayConfiguration {
  /// The journal.
  package struct Audit: Sendable {
    package enum Durability: String, Sendable, CaseIterable, LiteralConvertible {
      /// The intent is on disk before the request is forwarded.
      case sync
      /// The disk is asked every 100 ms.
      case interval
    }

    /// What happens when a record cannot be written.
    package enum FailureMode: String, Sendable, CaseIterable, LiteralConvertible {
      case refuse
      case `continue`
    }

    package var directory: FileReference
    package var durability: Durability
    package var onFailure: FailureMode
    /// Bytes after which a new segment begins.
    package var segmentSize: Int
    /// How long segments are kept; `nil`: for ever.
    package var retain: Duration?
    package var sensitive: Sensitive
    package var checkpoint: Checkpoints
    package var refusals: Refusals
    /// Bytes that must be free for other records than those of served requests.
    package var minimumFreeSpace: Int
    /// The database that gets a copy of every record.
    package var postgres: Postgres?
  }

  /// Bytes that records of requests that anybody can make may add to the journal, each second.
  package struct Refusals: Sendable, Equatable {
    package var perSecond: Int
    package var perSourcePerSecond: Int
  }

  /// Proofs of the journal's length.
  package struct Checkpoints: Sendable {
    package var every: Duration
    package var signingKeyFile: FileReference?
    /// What `signingKeyFile` held when the configuration was loaded.
    package var signingKey: Ed25519PrivateKey?
  }

  /// What the journal shows of members that the service model marks sensitive.
  package struct Sensitive: Sendable {
    package enum Treatment: String, Sendable, CaseIterable, LiteralConvertible {
      case plain
      /// HMAC-SHA-256 under the key.
      case hash
      case omit
    }

    package var name: Treatment
    package var metadata: Treatment
    package var tagValues: Treatment
    package var keyFile: FileReference?
    /// What `keyFile` held when the configuration was loaded, at least 32 bytes.
    package var key: Secret?
  }
}

extension GatewayConfiguration.Audit {
  static let form = Form<Self>.object("an object") { keys in
    let directory = keys.optional("directory", .path, "The folder of the journal; \"audit\" when absent.")
    let audit = Self(
      directory: directory ?? keys.reference("audit"),
      durability: keys.value(
        "durability", .choice(), default: .sync,
        "Whether an intent is on disk before its request is forwarded, or every 100 ms."),
      onFailure: keys.value(
        "onFailure", .choice(), default: .refuse, "Whether to go on when the journal cannot be written."),
      segmentSize: keys.value(
        "segmentSize", .byteCount, default: .mebibytes(128), "Size after which a new segment begins."
      ).bytes,
      retain: keys.nullable(
        "retain", .positiveDuration, default: .seconds(400 * 86_400),
        "How long segments are kept; null for ever."),
      sensitive: keys.section(
        "sensitive", GatewayConfiguration.Sensitive.form, "What the journal shows of sensitive members.")
        ?? .standard,
      checkpoint: keys.section(
        "checkpoint", GatewayConfiguration.Checkpoints.form, "Proofs of the journal's length.")
        ?? .init(every: .seconds(60)),
      refusals: keys.section(
        "refusals", GatewayConfiguration.Refusals.form,
        "What records of requests without a proven tenant, and of throttled ones, may add to the journal.")
        ?? .standard,
      minimumFreeSpace: keys.value(
        "minimumFreeSpace", .byteCount, default: .mebibytes(256),
        "Free space below which only served requests have records, and others are counted."
      ).bytes,
      postgres: keys.optional(
        "postgres", GatewayConfiguration.Postgres.form,
        "The PostgreSQL database that gets a copy of every record; null for none."))
    return audit
  }

}

extension GatewayConfiguration.Checkpoints {
  static let form = Form<Self>.object("an object") { keys in
    Self(
      every: keys.value("every", .positiveDuration, default: .seconds(60), "Time between checkpoints."),
      signingKeyFile: keys.optional(
        "signingKey", .path, "PKCS#8 PEM file with the Ed25519 key that signs checkpoints."))
  }
}

extension GatewayConfiguration.Refusals {
  static let standard = Self(perSecond: 256 << 10, perSourcePerSecond: 32 << 10)

  static let form = Form<Self>.object("an object") { keys in
    Self(
      perSecond: keys.value(
        "perSecond", .byteCount, default: .kibibytes(256), "Bytes a second of all such records together."
      ).bytes,
      perSourcePerSecond: keys.value(
        "perSourcePerSecond", .byteCount, default: .kibibytes(32),
        "Bytes a second for each source address (IPv6: each /64)."
      ).bytes)
  }
}

extension GatewayConfiguration.Sensitive {
  static let standard = Self(name: .plain, metadata: .omit, tagValues: .plain, keyFile: nil, key: nil)

  static let form = Form<Self>.object("an object") { keys in
    let sensitive = Self(
      name: keys.value("name", .choice(), default: standard.name, "The user's name."),
      metadata: keys.value("metadata", .choice(), default: standard.metadata, "The user's metadata."),
      tagValues: keys.value("tagValues", .choice(), default: standard.tagValues, "The values of tags."),
      keyFile: keys.optional("keyFile", .path, "File with at least 32 random bytes, the key of \"hash\"."),
      key: nil)
    for (name, treatment) in [
      ("name", sensitive.name), ("metadata", sensitive.metadata), ("tagValues", sensitive.tagValues),
    ] where treatment == .hash && (!keys.has("keyFile") || keys.isNull("keyFile")) {
      keys.error(at: keys.position(of: name), "\(quoted(name)): \"hash\" needs \"keyFile\"")
    }
    return sensitive
  }
}

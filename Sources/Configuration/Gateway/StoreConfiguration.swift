package import OpenSSLCrypto
internal import StrictJSON

extension GatewayConfiguration {
  /// A Redis or Valkey server that counts for all gateways together.
  package struct RedisStore: Sendable {
    package enum Topology: Sendable, Hashable {
      /// The URLs are servers, of which the first that can be reached counts.
      case single
      /// The URLs are sentinels, which know where the server of this name is.
      case sentinel(master: String)
      /// The URLs are nodes of a cluster, which know each other.
      case cluster
    }

    /// At least one; they differ in host and port alone.
    package var urls: [StoreURL]
    package var topology: Topology
    package var caFile: FileReference?
    /// What `caFile` held when the configuration was loaded.
    package var trust: UpstreamTrust = .system
    package var passwordFile: FileReference?
    /// What `passwordFile` held when the configuration was loaded.
    package var password: Secret?
    /// What all keys begin with.
    package var prefix: String
    /// The longest that a request waits for the store.
    package var timeout: Duration
    let position: SourcePosition

    /// Whether a secret or the counts could be seen or changed on the way.
    var isOpenToOthers: Bool { urls.contains { !$0.usesTLS && !$0.isLoopback } }
  }
}

extension GatewayConfiguration.RedisStore {
  static func read(_ keys: Keys) -> Self? {
    let urls = keys.required("url", .storeURLs, "Where the store is; a list for several sentinels or nodes.")
    let master = keys.optional(
      "sentinel", .masterName, "The URLs are sentinels, and this is the name of the server that they watch.")
    let isCluster = keys.value(
      "cluster", .boolean, default: false, "Whether the URLs are nodes of a cluster.")
    let caFile = keys.optional("caFile", .path, "PEM file of authorities to trust instead of the system's.")
    let passwordFile = keys.optional("passwordFile", .path, "File that holds the password.")
    let prefix = keys.value(
      "prefix", .keyPrefix, default: "gatehouse:", "What the names of all keys begin with.")
    let timeout = keys.value(
      "timeout", .positiveDuration, default: .milliseconds(100),
      "The longest that a request waits for the store.")
    guard let urls, let first = urls.first else { return nil }
    let store = Self(
      urls: urls, topology: master.map { .sentinel(master: $0) } ?? (isCluster ? .cluster : .single),
      caFile: caFile, passwordFile: passwordFile, prefix: prefix, timeout: timeout,
      position: keys.position(of: "url"))
    store.judge(first, master: master, isCluster: isCluster, keys)
    return store
  }

  private func judge(_ first: StoreURL, master: String?, isCluster: Bool, _ keys: Keys) {
    func differs(_ part: (StoreURL) -> some Equatable) -> Bool { urls.contains { part($0) != part(first) } }
    if differs(\.usesTLS) || differs(\.user) || differs(\.database) {
      keys.error(
        at: position,
        "the URLs of one store differ in host and port only; expected one scheme, user and database")
    }
    if isCluster, master != nil {
      keys.error(
        at: keys.position(of: "sentinel"), "only one of \"sentinel\" and \"cluster\": true may be given")
    }
    if isCluster, first.database != 0 {
      keys.error(at: position, "a cluster has one database; expected a URL without a number behind the host")
    }
    if caFile != nil, !first.usesTLS {
      keys.error(
        at: keys.position(of: "caFile"), "\"caFile\" is for TLS; expected a URL with the scheme rediss")
    }
    if first.user != nil, passwordFile == nil {
      keys.error(at: position, "a store's URL with a user needs \"passwordFile\"")
    }
    if isOpenToOthers {
      keys.warning(
        at: position,
        "the store is on another machine, and without TLS others can read and change what is counted; expected the "
          + "scheme rediss")
    }
  }
}

extension Form where Value == String {
  fileprivate static var keyPrefix: Form {
    parsed(
      "1 to 64 printable ASCII characters without spaces and \"{}*?[]\\\"",
      schema: ["type": "string", "pattern": #"^[!-)+->@-Z^-z|~]{1,64}$"#]
    ) { text throws(Rejection) in
      let isGood = { (byte: UInt8) in (0x21...0x7E).contains(byte) && !#"{}*?[]\"#.utf8.contains(byte) }
      return (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isGood) ? text : nil
    }
  }

  fileprivate static var masterName: Form {
    parsed(
      "a name such as \"mymaster\"", schema: ["type": "string", "pattern": "^[!-~]{1,128}$"]
    ) { text throws(Rejection) in
      (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }
  }
}

/// What a PostgreSQL connection URL consists of (PostgreSQL documentation, section 34.1.1.2), as far as it matters here.
struct PostgresURLParts {
  /// With ports and commas, as they are written; empty when they stand in the options.
  let hosts: Substring
  let database: Substring
  let options: [Substring: Substring]
  /// `nil` when there is none, wherever it might stand.
  let password: Substring?

  /// `nil` when it is no such URL, or does not say which host and which database.
  init?(_ text: String) {
    guard let scheme = ["postgresql://", "postgres://"].first(where: { text.hasPrefix($0) }),
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    let rest = text.dropFirst(scheme.count)
    let question = rest.firstIndex(of: "?") ?? rest.endIndex
    guard let slash = rest[..<question].lastIndex(of: "/") else { return nil }
    database = rest[..<question][rest.index(after: slash)...]
    let authority = rest[..<slash]
    let at = authority.lastIndex(of: "@")
    hosts = at.map { authority[authority.index(after: $0)...] } ?? authority
    let isBare = { (part: Substring) in !part.contains { "/@".contains($0) } }
    guard !database.isEmpty, isBare(database), isBare(hosts) else { return nil }
    let query: Substring = question == rest.endIndex ? "" : rest[rest.index(after: question)...]
    var options: [Substring: Substring] = [:]
    for pair: Substring in query.split(separator: "&") {
      let equals = pair.firstIndex(of: "=") ?? pair.endIndex
      options[pair[..<equals]] = pair[equals...].dropFirst()
    }
    self.options = options
    guard !hosts.isEmpty || options["host"] != nil else { return nil }
    let login: Substring = at.map { authority[..<$0] } ?? ""
    let colon = login.firstIndex(of: ":")
    password = options["password"] ?? colon.map { login[login.index(after: $0)...] }
  }

  /// Whether all hosts are this machine: sockets in its file system, loopback addresses, or `localhost`.
  var isLocal: Bool {
    let named = hosts.split(separator: ",").map { Self.withoutPort($0) }
    let others = ["host", "hostaddr"].flatMap { options[$0]?.split(separator: ",") ?? [] }
    return (named + others).allSatisfy { host in
      host.hasPrefix("/") || host.lowercased().hasPrefix("%2f") || host == "localhost"
        || IPAddress(parsing: host.utf8)?.isLoopback == true
    }
  }

  private static func withoutPort(_ host: Substring) -> Substring {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return host[..<end].dropFirst() }
    return host.lastIndex(of: ":").map { host[..<$0] } ?? host
  }
}

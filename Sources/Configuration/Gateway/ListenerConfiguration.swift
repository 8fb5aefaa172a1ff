package import OpenSSLCrypto
package import StrictJSON

extension GatewayConfiguration {
  /// An address that applications connect to.
  package struct Listener: Sendable {
    package var address: ListenAddress
    /// `nil`: plain HTTP.
    package var tls: TLS?
    /// Whether each connection is announced by a trusted proxy, with a PROXY protocol header.
    package var proxyProtocol: Bool
    package var position: SourcePosition
  }

  /// PEM files for a TLS listener.
  package struct TLS: Sendable {
    /// The chain, leaf first.
    package var certificate: FileReference
    package var privateKey: FileReference
    package var clientCA: FileReference?
    package var clientCertificate: TLSContext.ClientCertificate
    /// Made of the files when the configuration was loaded.
    package var context: TLSContext?
  }

  /// The listener for operators.
  package struct Admin: Sendable {
    package var address: ListenAddress
    /// Open at a time.
    package var connections: Int
    /// `nil`: no token is asked for.
    package var tokenFile: FileReference?
    /// What `tokenFile` held when the configuration was loaded.
    package var token: Secret?
    /// Names that Host may bear besides `localhost` and addresses, in lower case.
    package var hosts: Set<String>

    package var position: SourcePosition

    /// The file that is used when it exists and the key is absent.
    static let standardTokenFile = "admin.token"
    /// Whether `tokenFile` was named; one that was not may be missing.
    var isTokenFileNamed: Bool
  }
}

extension GatewayConfiguration.Listener {
  static let form = Form<Self>.object("a listener object") { keys in
    let address = keys.required(
      "address", .listenAddress, "IP address and port; port 0 lets the system choose.")
    let tls = keys.optional("tls", GatewayConfiguration.TLS.form, "TLS 1.2 and 1.3; plain HTTP when absent.")
    let proxyProtocol = keys.value(
      "proxyProtocol", .boolean, default: false,
      "Whether each connection begins with a PROXY protocol header (version 1 or 2) of one of `trustedProxies`."
    )
    guard let address else { return nil }
    return Self(
      address: address, tls: tls, proxyProtocol: proxyProtocol, position: keys.position(of: "address"))
  }
}

extension GatewayConfiguration.TLS {
  static let form = Form<Self>.object("a TLS object") { keys in
    let certificate = keys.required("certificate", .path, "PEM file of the certificate chain, leaf first.")
    let privateKey = keys.required("privateKey", .path, "PEM file of the certificate's private key.")
    let clientCA = keys.optional(
      "clientCA", .path, "PEM file of the authorities that client certificates chain to.")
    let asked = keys.optional(
      "clientCertificate", .choice(TLSContext.ClientCertificate.self),
      "Whether callers show a certificate; with clientCA, optional when absent.")
    if clientCA == nil, !keys.has("clientCA"), let asked, asked != .none {
      keys.error(
        at: keys.position(of: "clientCertificate"),
        "\"clientCertificate\": \(quoted(asked.rawValue)) needs \"clientCA\"")
    }
    guard let certificate, let privateKey else { return nil }
    return Self(
      certificate: certificate, privateKey: privateKey, clientCA: clientCA,
      clientCertificate: asked ?? (clientCA == nil ? .none : .optional))
  }
}

extension GatewayConfiguration.Admin {
  static let form = Form<Self>.object("an admin object") { keys in
    let standard = ListenAddress(ip: IPAddress(ipv4: 0x7F00_0001), port: 9901)
    let address = keys.value("address", .listenAddress, default: standard, "IP address and port.")
    let tokenFile = keys.optional(
      "tokenFile", .path,
      "File with the bearer token; when absent, \(standardTokenFile) beside this file if there is one.")
    let isAbsent = !keys.has("tokenFile")
    let hosts = keys.list(
      "hosts", .list(of: .hostName, "a list of host names"),
      "Names that Host may bear besides localhost and IP addresses.")
    let connections = keys.value(
      "connections", .integer(1...10_000_000), default: 64, "Open connections from operators.")
    return Self(
      address: address, connections: connections,
      tokenFile: isAbsent ? keys.reference(standardTokenFile) : tokenFile, token: nil,
      hosts: Set(hosts), position: keys.position(of: "address"), isTokenFileNamed: tokenFile != nil)
  }
}

extension ListenAddress: LiteralConvertible { var literal: JSONLiteral { .string(description) } }

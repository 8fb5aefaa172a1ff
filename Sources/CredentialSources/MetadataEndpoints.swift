package import Configuration
internal import Primitives

/// Where a container's credentials are, and with what one shows to be in it.
package struct ContainerEndpoint: Sendable, Hashable {
  package enum Authorization: Sendable, Hashable {
    case none
    case token(String)
    /// Read anew each time: EKS changes it.
    case file(String)
  }

  package let endpoint: UpstreamEndpoint
  /// Begins with `/`.
  package let path: String
  /// Without `?`.
  package let query: String
  package let authorization: Authorization

  /// What the environment says; `nil` when it says nothing.
  static func find(in environment: EnvironmentReader) throws(CredentialFailure) -> ContainerEndpoint? {
    let name: String
    let url: String
    if let relative = environment.value("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      (name, url) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "http://169.254.170.2" + relative)
      guard relative.hasPrefix("/") else { throw .variable(name, expected: "a path that begins with /") }
    } else if let full = environment.value("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
      (name, url) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", full)
    } else {
      return nil
    }
    guard let parts = URLParts(url) else { throw .variable(name, expected: "an http or https URL") }
    // Without TLS the token would be shown to whoever is on the way.
    guard parts.endpoint.usesTLS || isLocal(parts.endpoint) else {
      throw .variable(
        name, expected: "https, or http to a loopback address or one that ECS or EKS gives credentials at")
    }
    let authorization: Authorization =
      if let file = environment.value("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        .file(file)
      } else if let token = environment.value("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
        .token(token)
      } else {
        .none
      }
    return ContainerEndpoint(
      endpoint: parts.endpoint, path: parts.path, query: parts.query, authorization: authorization)
  }

  private static func isLocal(_ endpoint: UpstreamEndpoint) -> Bool {
    // ECS; EKS Pod Identity over IPv4 and IPv6.
    endpoint.isLoopback || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(endpoint.host)
  }
}

/// An EC2 instance's metadata service.
package struct MetadataEndpoint: Sendable, Hashable {
  package let endpoint: UpstreamEndpoint
  /// What stands before the service's own paths: empty, or a path without a slash at its end.
  package let prefix: String

  /// - Returns: `nil` when the environment forbids it.
  static func find(in environment: EnvironmentReader) throws(CredentialFailure) -> MetadataEndpoint? {
    if environment.value("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
    let url: String
    if let named = environment.value("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
      url = named
    } else if environment.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6" {
      url = "http://[fd00:ec2::254]"
    } else {
      url = "http://169.254.169.254"
    }
    guard let parts = URLParts(url), parts.query.isEmpty else {
      throw .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", expected: "an http or https URL")
    }
    var prefix = parts.path
    while prefix.hasSuffix("/") { prefix.removeLast() }
    return MetadataEndpoint(endpoint: parts.endpoint, prefix: prefix)
  }
}

/// `scheme://authority/path?query`, of visible ASCII.
struct URLParts {
  let endpoint: UpstreamEndpoint
  let path: String
  let query: String

  init?(_ url: String) {
    guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.contains("#"),
      let scheme = url.firstRange(of: "://")
    else { return nil }
    let rest = url[scheme.upperBound...]
    let start = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    guard let endpoint = UpstreamEndpoint(written: String(url[..<start])) else { return nil }
    self.endpoint = endpoint
    let target = rest[start...].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = target.first.map { $0.isEmpty ? "/" : String($0) } ?? "/"
    query = target.count > 1 ? String(target[1]) : ""
  }
}

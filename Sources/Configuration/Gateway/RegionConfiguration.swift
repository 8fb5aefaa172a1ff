internal import StrictJSON

extension GatewayConfiguration {
  /// A region that is served, and where it is.
  package struct Region: Sendable, Hashable {
    package let name: String
    package let endpoint: UpstreamEndpoint

    package init(name: String, endpoint: UpstreamEndpoint) {
      self.name = name
      self.endpoint = endpoint
    }
  }
}

extension GatewayConfiguration.Region {
  /// Where the service exists (AWS endpoints and quotas, Amazon Chime SDK identity).
  private static let known = ["us-east-1", "eu-central-1"]
  /// And where with FIPS endpoints.
  private static let knownWithFIPS = ["us-east-1"]
  /// A tenant's regions are the bits of one word.
  static let most = 64

  /// Says what stands against `region` where no endpoint is given for it.
  /// - Parameter alternative: what would be accepted instead.
  static func judge(
    _ region: String, fips: Bool, or alternative: String, at position: SourcePosition, _ keys: Keys
  ) {
    let known = fips ? knownWithFIPS : known
    guard !known.contains(region) else { return }
    keys.error(
      at: position,
      "there is no public\(fips ? " FIPS" : "") endpoint in \(quoted(region)), only in "
        + known.map(quoted).joined(separator: " and ") + "; expected one of these, or \(alternative)")
  }

  static func judge(_ endpoint: UpstreamEndpoint, _ keys: Keys) {
    guard !endpoint.usesTLS, !endpoint.isLoopback else { return }
    keys.warning(
      at: keys.position(of: "endpoint"),
      "requests to \(quoted("\(endpoint)")) are neither encrypted nor authenticated")
  }
}

/// An element of `upstream.otherRegions` as it is written; where the endpoint is depends on `upstream.fips` as well.
struct WrittenRegion: Sendable {
  let name: PolicyDocument.Located<String>
  let endpoint: UpstreamEndpoint?
  /// Whether there is an endpoint, good or not.
  let namesEndpoint: Bool

  static let form = Form<Self>.object("an object with a \"region\"") { keys in
    let name = keys.required("region", Form.region.located, "A further AWS region.")
    let endpoint = keys.optional("endpoint", .endpoint, "URL; when absent, the region's public endpoint.")
    if let endpoint { GatewayConfiguration.Region.judge(endpoint, keys) }
    return name.map {
      Self(
        name: $0, endpoint: endpoint, namesEndpoint: keys.has("endpoint") && !keys.isNull("endpoint"))
    }
  }

  /// - Parameter region: `upstream.region`.
  static func regions(
    _ written: [Self], beside region: String?, fips: Bool, _ keys: Keys
  ) -> [GatewayConfiguration.Region] {
    var names = Set([region].compactMap(\.self))
    var regions: [GatewayConfiguration.Region] = []
    for other in written {
      let name = other.name.value
      if !names.insert(name).inserted {
        keys.error(at: other.name.position, "the region \(quoted(name)) is named already")
      } else if !other.namesEndpoint {
        GatewayConfiguration.Region.judge(
          name, fips: fips, or: "an \"endpoint\"", at: other.name.position, keys)
      }
      regions.append(.init(name: name, endpoint: other.endpoint ?? .init(region: name, fips: fips)))
    }
    if regions.count >= GatewayConfiguration.Region.most {
      keys.error(
        at: keys.position(of: "otherRegions"),
        "expected at most \(GatewayConfiguration.Region.most - 1) further regions, found \(regions.count)")
    }
    return regions
  }
}

extension Form where Value == String {
  /// The shape of AWS region names.
  static var region: Form {
    let pattern: JSONLiteral = "^[a-z]{2,8}(-[a-z]{2,16}){1,3}-[0-9]{1,2}$"
    return parsed("an AWS region such as \"us-east-1\"", schema: ["type": "string", "pattern": pattern]) {
      text throws(Rejection) in isRegion(text) ? text : nil
    }
  }

  private static func isRegion(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard (3...5).contains(parts.count), let number = parts.last, (1...2).contains(number.count),
      number.allSatisfy({ (0x30...0x39).contains($0) }), parts[0].count <= 8
    else { return false }
    return parts.dropLast().allSatisfy { word in
      (2...16).contains(word.count) && word.allSatisfy { (0x61...0x7A).contains($0) }
    }
  }
}

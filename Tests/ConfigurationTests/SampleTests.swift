import Configuration
import OpenSSLCrypto
import Patterns
import Primitives
import Testing

/// The three sample documents of the interface description, with what this version does not have left out.
@Suite struct SampleTests {
  @Test func theSampleConfigurationLoadsWithoutProblems() throws {
    var files = goodFiles()
    files.contents["gatehouse.json"] = sampleConfiguration
    files.contents["admin.token"] = "t0ken\n"
    files.contents["tls/server.pem"] = try fixture("server.pem")
    files.contents["tls/server.key"] = try fixture("server.key")
    files.contents["tls/clients.pem"] = try fixture("server.pem")
    let (loaded, problems) = load(files)
    #expect(problems == [])
    let configuration = try #require(loaded?.configuration)
    #expect(configuration.listeners.map(\.address.description) == ["127.0.0.1:8080", "0.0.0.0:8443"])
    #expect(configuration.listeners.last?.tls?.clientCertificate == .optional)
    #expect(configuration.admin?.token?.withBytes { Array($0) } == Array("t0ken".utf8))
    #expect(configuration.upstream.endpoint.authority == "identity-chime.us-east-1.amazonaws.com")
    let fips = UpstreamEndpoint(region: "us-east-1", fips: true)
    #expect("\(fips)" == "https://identity-chime-fips.us-east-1.amazonaws.com")
    #expect(configuration.audit.segmentSize == 134_217_728)
    #expect(configuration.audit.retain == .seconds(34_560_000))
  }

  /// Every default is the value that the sample shows.
  @Test func theDefaultsAreThoseOfTheSample() throws {
    let minimal = try #require(load(goodFiles()).0?.configuration)
    var files = goodFiles()
    files.contents["gatehouse.json"] = sampleConfiguration
    files.contents["admin.token"] = "t0ken"
    files.contents["tls/server.pem"] = try fixture("server.pem")
    files.contents["tls/server.key"] = try fixture("server.key")
    files.contents["tls/clients.pem"] = try fixture("server.pem")
    let full = try #require(load(files).0?.configuration)
    #expect(described(minimal.authentication) == described(full.authentication))
    #expect(described(minimal.rateLimit) == described(full.rateLimit))
    #expect(described(minimal.limits) == described(full.limits))
    #expect(described(minimal.log) == described(full.log))
    #expect(described(minimal.upstream.retry) == described(full.upstream.retry))
    #expect(described(minimal.upstream.circuitBreaker) == described(full.upstream.circuitBreaker))
    #expect(minimal.upstream.endpoint == full.upstream.endpoint)
    #expect(minimal.upstream.connectTimeout == full.upstream.connectTimeout)
    #expect(minimal.upstream.requestTimeout == full.upstream.requestTimeout)
    #expect(minimal.upstream.maxConnections == full.upstream.maxConnections)
    #expect(minimal.upstream.idleTimeout == full.upstream.idleTimeout)
    #expect(minimal.audit.directory.path == full.audit.directory.path)
    #expect(minimal.audit.durability == full.audit.durability)
    #expect(minimal.audit.onFailure == full.audit.onFailure)
    #expect(minimal.audit.segmentSize == full.audit.segmentSize)
    #expect(minimal.audit.retain == full.audit.retain)
    #expect(minimal.audit.checkpoint.every == full.audit.checkpoint.every)
    #expect(described(minimal.audit.sensitive) == described(full.audit.sensitive))
    #expect(minimal.workers == full.workers)
    #expect(minimal.drainTimeout == full.drainTimeout)
    #expect(minimal.admin?.address == full.admin?.address)
    if case .chain = minimal.upstream.credentials.source {
    } else {
      Issue.record("the standard source is the chain")
    }
  }

  @Test func theSampleTenantsFileLoadsWithoutProblems() throws {
    var files = goodFiles()
    files.contents["tenants.json"] = sampleTenants
    let (loaded, problems) = load(files)
    #expect(problems == [])
    let tenant = try #require(loaded?.tenants.tenant("crm"))
    #expect(tenant.description == "CRM back office")
    #expect(tenant.operations == ["CreateAppInstanceUser", "DescribeAppInstanceUser"])
    #expect(tenant.rateLimit == .init(.init(requestsPerSecond: 10, burst: 20), concurrency: 8))
    #expect(tenant.labels == ["costCenter": "4711", "owner": "crm@example.com"])
    #expect(tenant.clientCertificates == [CertificateName(written: "spiffe://corp.example/crm")])
    let key = try #require(tenant.accessKeys.first)
    #expect(key.status == .active)
    #expect(key.notAfter == WallClockTime(seconds: 1_798_761_600))
    #expect(tenant.appInstances.first?.matches("arn:aws:chime:us-east-1:123456789012:app-instance/a") == true)
  }

  @Test func theSamplePolicyLoadsWithoutProblems() throws {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = samplePolicy
    let (loaded, problems) = load(files)
    #expect(problems == [])
    let policy = try #require(loaded?.policies.documents.first)
    #expect(policy.name.value == "org-baseline")
    #expect(policy.appInstanceUserId?.prefix?.value == "${tenant.id}-")
    #expect(policy.userName?.singleScript == true)
    #expect(policy.tags?.required.map(\.key.value) == ["CostCenter", "Owner"])
    #expect(policy.tags?.set.map(\.key.value) == ["CreatedVia"])
    #expect(policy.expiration?.maxDays?.value == 90)
    #expect(policy.metadata?.format?.value == .json)
    #expect(policy.metadata?.maxBytes?.value == 512)
  }
}

private func described(_ value: some Any) -> String {
  var text = ""
  dump(value, to: &text)
  // Places differ between a file that has a key and one that has not.
  return text.split(separator: "\n").filter { !$0.contains("line:") && !$0.contains("column:") }
    .joined(separator: "\n")
}

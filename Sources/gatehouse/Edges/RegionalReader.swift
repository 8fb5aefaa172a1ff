import AuditReconciliation
import ChimeIdentity
import Configuration
import CredentialSupply
import Gateway
import Primitives
import SigV4
import Transport

/// Asks about an ARN in the region that it names: nowhere else can it have been made.
final class RegionalReader: UpstreamReading {
  let regions: [(name: Text, reader: ServiceReader)]
  /// Who is asked about the rest.
  private let home: ServiceReader

  private init(
    _ upstream: GatewayConfiguration.Upstream, _ credentials: Credentials, _ patience: ServiceReader.Patience,
    loop: EventLoop
  ) throws(TransportError) {
    let targets = try PoolTarget.targets(of: upstream)
    let readers = zip(upstream.regions.all, targets.all).map { region, target in
      let client = ServiceClient(
        target, host: region.endpoint.authority, region: region.name, credentials: credentials,
        connectTimeout: upstream.connectTimeout.nanoseconds,
        timeout: upstream.requestTimeout.nanoseconds, loop: loop)
      return (name: Text(region.name), reader: ServiceReader(client, patience, loop: loop))
    }
    regions = readers
    home = readers[0].reader
  }

  /// With the gateway's own credentials.
  convenience init(
    _ upstream: GatewayConfiguration.Upstream, _ patience: ServiceReader.Patience, on loop: EventLoop
  ) async throws(CommandFailure) {
    let credentials: Credentials
    switch await CredentialKeeper.once(for: upstream, Process.surroundings, on: loop) {
    case .success(let found): credentials = found
    case .failure(let failure):
      throw CommandFailure(.bad, "upstream cannot be asked without AWS credentials: \(failure)")
    }
    do throws(TransportError) {
      try self.init(upstream, credentials, patience, loop: loop)
    } catch {
      throw CommandFailure(.bad, "cannot ask upstream: \(error)")
    }
  }

  func close() { for region in regions { region.reader.close() } }

  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    try await reader(for: arn).describeUser(arn)
  }

  func listUsers(of appInstance: Text, after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer {
    try await reader(for: appInstance).listUsers(of: appInstance, after: token)
  }

  func listTags(of resource: Text) async throws(UpstreamUnavailable) -> ReadAnswer {
    try await reader(for: resource).listTags(of: resource)
  }

  private func reader(for arn: Text) -> ServiceReader {
    let region = ChimeARN(arn)?.region
    return regions.first { $0.name == region }?.reader ?? home
  }
}

internal import Patterns
internal import Primitives
internal import StrictJSON

extension TenantEntry {
  /// Says which of the tenant's regions and AppInstances no request can reach.
  /// - Parameter served: the regions of the configuration.
  func judge(servedIn served: [String], _ reading: Reading) {
    for region in regions ?? [] where !served.contains(region.value) {
      reading.error(
        at: region.position,
        "the configuration serves no region \(quoted(region.value))\(suggestion(for: region.value, among: served))"
      )
    }
    let own = regions?.map(\.value).filter(served.contains) ?? served
    // With an unknown region it is not clear what is meant.
    guard regions.map({ $0.count == own.count }) ?? true else { return }
    for glob in appInstances {
      let isReached = own.contains { region in
        glob.overlaps(Glob(Text("arn:aws*:chime:\(region):????????????:app-instance/*")))
      }
      guard !isReached else { continue }
      reading.warning(
        at: position,
        "no AppInstance of \(quoted(glob.source.string)) is in a region that the tenant may call in"
          + "; expected one in \(own.map(quoted).joined(separator: " or "))")
    }
  }
}

extension GatewayConfiguration.Upstream {
  var regionNames: [String] { regions.all.map(\.name) }
}

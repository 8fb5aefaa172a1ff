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
      guard let place = Self.region(of: glob), !own.contains(where: { place.overlaps(Glob(Text($0))) })
      else { continue }
      reading.warning(
        at: position,
        "no AppInstance of \(quoted(glob.source.string)) is in a region that the tenant may call in"
          + "; expected one in \(own.map(quoted).joined(separator: " or "))")
    }
  }
}

extension TenantEntry {
  /// The part of an ARN that names the region; `nil` when it may be any, since a `*` stands for several parts.
  private static func region(of glob: Glob) -> Glob? {
    let parts = glob.source.string.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 6 ? Glob(Text(String(parts[3]))) : nil
  }
}

extension GatewayConfiguration.Upstream {
  var regionNames: [String] { regions.all.map(\.name) }
}

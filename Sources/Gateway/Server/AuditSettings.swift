package import AuditStore
package import AuditTrail
package import Configuration

extension Journal.Settings {
  /// As the configuration's `audit` says.
  package init(_ audit: GatewayConfiguration.Audit) {
    self.init(directory: audit.directory.path)
    durability = audit.durability == .sync ? .sync : .interval
    continuesOnFailure = audit.onFailure == .continue
    segmentSize = audit.segmentSize
    checkpointNanoseconds = audit.checkpoint.every.nanoseconds
    signingKey = audit.checkpoint.signingKey
    retainNanoseconds = audit.retain?.nanoseconds
    isCopied = audit.postgres != nil
    refusals = RefusalBudget(
      perSecond: audit.refusals.perSecond, perSourcePerSecond: audit.refusals.perSourcePerSecond)
    minimumFreeSpace = audit.minimumFreeSpace
  }
}

extension Sensitivity {
  /// As `audit.sensitive` says; the loader has seen to it that `hash` has a key.
  package init(_ configured: GatewayConfiguration.Sensitive) {
    func treatment(_ wanted: GatewayConfiguration.Sensitive.Treatment) -> Treatment {
      switch (wanted, configured.key) {
      case (.plain, _): .plain
      case (.hash, let key?): .hashed(under: key)
      case (.hash, nil), (.omit, _): .omitted
      }
    }
    self.init(
      name: treatment(configured.name), metadata: treatment(configured.metadata),
      tagValues: treatment(configured.tagValues))
  }
}

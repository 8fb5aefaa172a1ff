internal import Configuration
internal import Glibc
internal import Logging
internal import Primitives
internal import Transport

/// The process's file descriptors.
enum Descriptors {
  /// Raises the limit as far as it goes and shares out what there is. What must be less than configured is logged.
  static func share(
    for configuration: GatewayConfiguration, loops: Int, _ logger: Logger
  ) throws(TransportError) -> DescriptorBudget.Wishes {
    let regions = configuration.upstream.regions.count
    let wishes = DescriptorBudget.Wishes(
      connections: configuration.limits.connections,
      upstream: configuration.upstream.maxConnections * regions,
      admin: configuration.admin?.connections ?? 0)
    let limit = raiseLimit()
    let listeners = configuration.listeners.count * loops + (configuration.admin == nil ? 0 : 1)
    let budget: DescriptorBudget
    do throws(DescriptorBudget.TooFew) {
      budget = try DescriptorBudget(
        limit: limit, inUse: inUse(), loops: loops, regions: regions, listeners: listeners, wishes: wishes)
    } catch {
      throw .tooFewDescriptors(error.descriptors, needed: error.needed)
    }
    if budget.granted != wishes {
      logger.warning(
        "there are fewer file descriptors than the configuration may need; its limits are lowered",
        metadata: [
          "descriptors": "\(limit)", "limits.connections": "\(budget.granted.connections)",
          "upstream.maxConnections": "\(budget.granted.upstream / regions)",
          "admin.connections": "\(budget.granted.admin)",
          "advice": "raise `ulimit -Hn` (LimitNOFILE of a unit)",
        ])
    }
    return budget.granted
  }

  private static func raiseLimit() -> Int {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0 else { return .max }
    let soft = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    return Int(clamping: setrlimit(resource, &limit) == 0 ? limit.rlim_cur : soft)
  }

  /// How many are open. They are mostly the lowest numbers, so without `/proc` the next one tells.
  private static func inUse() -> Int {
    guard let folder = opendir("/proc/self/fd") else {
      let next = open("/dev/null", O_RDONLY | O_CLOEXEC)
      defer { if next >= 0 { close(next) } }
      return max(3, Int(next))
    }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Itself, and the entries `.` and `..`.
    return count - 3
  }
}

/// What a service manager tells the process that it starts, by variables of its environment (sd_notify(3),
/// sd_watchdog_enabled(3), sd_listen_fds(3)).
package struct ServiceVariables: Sendable, Hashable {
  /// A listening socket that was open before the process was.
  package struct Socket: Sendable, Hashable {
    package let descriptor: Int32
    /// `FileDescriptorName=` of the unit; by default that is the unit's name.
    package let name: String

    package init(descriptor: Int32, name: String) {
      self.descriptor = descriptor
      self.name = name
    }
  }

  /// Where it wants to be told; `nil`: nowhere.
  package let notifySocket: String?
  /// Nanoseconds without a sign of life after which it takes the process for dead; `nil`: it never does.
  package let watchdog: Int64?
  package let sockets: [Socket]

  /// All of them. They are this process's alone: its children are not to see them.
  package static let names = [
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
  ]

  package init(_ variables: [String: String], processID: Int32) throws(ServiceFault) {
    notifySocket = variables["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
    watchdog = try Self.watchdog(variables, processID)
    sockets = try Self.sockets(variables, processID)
  }

  private static func watchdog(
    _ variables: [String: String], _ processID: Int32
  ) throws(ServiceFault) -> Int64? {
    guard let text = variables["WATCHDOG_USEC"] else { return nil }
    // Without one it is for whoever has the other variable.
    if let meant = variables["WATCHDOG_PID"], Int32(meant) != processID { return nil }
    guard let microseconds = Int64(text), (1...Int64.max / 1000).contains(microseconds) else {
      throw .variable("WATCHDOG_USEC", text, accepted: "a number of microseconds")
    }
    return microseconds * 1000
  }

  /// Descriptors of before the process: from 3 on, says the protocol.
  private static let firstDescriptor: Int32 = 3
  private static let mostSockets: Int32 = 1024

  private static func sockets(
    _ variables: [String: String], _ processID: Int32
  ) throws(ServiceFault) -> [Socket] {
    // Those of another process, which passed its environment on, are none of ours.
    guard let text = variables["LISTEN_FDS"], let meant = variables["LISTEN_PID"], Int32(meant) == processID
    else { return [] }
    guard let count = Int32(text), (0...mostSockets).contains(count) else {
      throw .variable("LISTEN_FDS", text, accepted: "a number of sockets, 0 to \(mostSockets)")
    }
    guard let named = variables["LISTEN_FDNAMES"] else {
      return (0..<count).map { Socket(descriptor: firstDescriptor + $0, name: "unknown") }
    }
    let names = named.split(separator: ":", omittingEmptySubsequences: false)
    guard count > 0, names.count == Int(count) else {
      guard count > 0 else { return [] }
      throw .variable("LISTEN_FDNAMES", named, accepted: "\(count) names with colons between them")
    }
    return zip(0..<count, names).map { Socket(descriptor: firstDescriptor + $0, name: String($1)) }
  }
}

/// Why what a service manager says cannot be followed.
package enum ServiceFault: Error, Sendable, Hashable, CustomStringConvertible {
  case variable(String, String, accepted: String)
  case system(call: String, errno: Int32, reason: String)

  package var description: String {
    switch self {
    case .variable(let name, let value, let accepted): "\(name) is `\(value)`: expected \(accepted)"
    case .system(let call, _, let reason): "\(call): \(reason)"
    }
  }
}

internal import Configuration
internal import ServiceManager
internal import Transport

/// The sockets that came with the process, each for the listener that it is meant for: by its name (`listener-1` is the
/// configuration's first, `admin` the admin listener), else by its address.
struct InheritedSockets {
  enum Place: Hashable, Sendable {
    case listener(Int)
    case admin
  }

  private var sockets: [Place: ListeningSocket] = [:]

  init(
    _ passed: [ServiceVariables.Socket], for configuration: GatewayConfiguration
  ) throws(TransportError) {
    var places: [(place: Place, address: SocketAddress)] = []
    for (index, listener) in configuration.listeners.enumerated() {
      places.append((.listener(index), try SocketAddress(parsing: listener.address.description)))
    }
    if let admin = configuration.admin {
      places.append((.admin, try SocketAddress(parsing: admin.address.description)))
    }
    for socket in passed {
      let listening = try ListeningSocket(inherited: socket.descriptor)
      // One that nobody serves would leave callers waiting, and two for one listener are a mistake as well.
      guard let place = Self.place(of: socket.name, listening.address, among: places),
        sockets[place] == nil, Self.mayServe(place, listening.address, configuration)
      else {
        throw .unexpected(
          socket: socket.name, listening.address,
          accepted: Self.accepted(configuration))
      }
      sockets[place] = listening
    }
  }

  func has(_ place: Place) -> Bool { sockets[place] != nil }

  /// For one loop: of the socket that came with the process, or one that is opened on `address`.
  /// - Parameter joining: whether another loop has one there already.
  func socket(
    for place: Place, on address: SocketAddress, joining: Bool = false
  ) throws(TransportError) -> ListeningSocket {
    if let inherited = sockets[place] { return try inherited.duplicate() }
    do throws(TransportError) {
      return try ListeningSocket(address, joining: joining)
    } catch {
      guard case .listening(let address, let code, nil) = error else { throw error }
      throw .listening(on: address, errno: code, place: place.path)
    }
  }

  static func place(
    of name: String, _ address: SocketAddress, among places: [(place: Place, address: SocketAddress)]
  ) -> Place? {
    let named = places.first { $0.place.name == name } ?? places.first { $0.address == address }
    return named?.place
  }

  /// What the configuration is refused for, a socket is too.
  private static func mayServe(
    _ place: Place, _ address: SocketAddress, _ configuration: GatewayConfiguration
  ) -> Bool {
    place != .admin || address.isLoopback || configuration.admin?.token != nil
  }

  private static func accepted(_ configuration: GatewayConfiguration) -> String {
    let count = configuration.listeners.count
    let names = count == 1 ? "`listener-1`" : "`listener-1` to `listener-\(count)`"
    return "one socket for a listener, with the address that is configured or the name \(names) or `admin`;"
      + " the admin listener's on loopback, unless it has a `tokenFile`"
  }
}

extension InheritedSockets.Place {
  /// As `FileDescriptorName=` has it, which takes no colons.
  var name: String {
    switch self {
    case .listener(let index): "listener-\(index + 1)"
    case .admin: "admin"
    }
  }

  /// Where the configuration has its address.
  var path: String {
    switch self {
    case .listener(let index): "listeners[\(index)].address"
    case .admin: "admin.address"
    }
  }
}

internal import CLibpq
internal import Glibc
internal import OpenSSLCrypto

/// Where a connection goes and with what password; the only place that holds the password as text.
struct PostgresTarget {
  private let url: String
  private let password: String?
  /// The options of the URL that matter here, as libpq reads them.
  private let written: [String: String]

  /// - Throws: `badURL`.
  init(url: Secret, password: Secret?) throws(ShippingFailure) {
    self.url = Self.text(url)
    self.password = password.map { Self.text($0) }
    written = try Self.options(in: self.url)
  }

  /// Connects to the first host that takes the connection.
  /// - Parameter finish: does what is left to do for a connection that was begun, within its time; `false`: refused.
  /// - Throws: `cannotConnect`, without the password.
  func connect(
    _ finish: (OpaquePointer) throws(ShippingFailure) -> Bool
  ) throws(ShippingFailure) -> OpaquePointer {
    // libpq itself goes on to the next host after a refusal, but not after silence.
    for first in 0..<hostCount {
      guard let handle = start(from: first) else { throw .cannotConnect("out of memory") }
      do throws(ShippingFailure) {
        guard try finish(handle), PQsetnonblocking(handle, 1) == 0 else {
          throw .cannotConnect(reason(of: handle))
        }
        // Otherwise libpq prints notices to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        return handle
      } catch {
        PQfinish(handle)
        guard case .timedOut = error else { throw error }
      }
    }
    throw .cannotConnect("no answer in time")
  }

  private var hostCount: Int { max(1, Self.hostLists.map { list($0).count }.max() ?? 1) }

  /// Options that may name several, with commas between them.
  private static let hostLists = ["host", "hostaddr", "port"]

  private func list(_ option: String) -> [Substring] {
    written[option]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
  }

  /// Begins a connection, leaving the first `count` hosts out.
  private func start(from count: Int) -> OpaquePointer? {
    // What comes after `dbname` wins over what the URL says.
    var options = [
      ("dbname", url), ("application_name", "gatehouse"), ("client_encoding", "UTF8"),
      ("tcp_user_timeout", "30000"),
    ]
    if let password { options.append(("password", password)) }
    // One port may be for all hosts.
    for option in Self.hostLists where count > 0 && list(option).count > 1 {
      options.append((option, list(option).dropFirst(count).joined(separator: ",")))
    }
    // libpq copies both lists, which end with a null pointer.
    let keywords = options.map { strdup($0.0) } + [nil]
    let values = options.map { strdup($0.1) } + [nil]
    defer {
      for text in keywords { free(text) }
      for case let text? in values {
        explicit_bzero(text, strlen(text))
        free(text)
      }
    }
    return PQconnectStartParams(keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
  }

  private func reason(of handle: OpaquePointer) -> String {
    var reason = String(cString: PQerrorMessage(handle))
    for secret in [password, written["password"]].compactMap({ $0 }) where !secret.isEmpty {
      reason = reason.replacing(secret, with: "[secret]")
    }
    let line = reason.split(whereSeparator: \.isNewline).joined(separator: "; ")
    return line.isEmpty ? "no reason given" : line
  }

  private static func options(in url: String) throws(ShippingFailure) -> [String: String] {
    // An array of libpq's that ends with an option without keyword.
    guard let options = PQconninfoParse(url, nil) else { throw .badURL }
    defer { PQconninfoFree(options) }
    var found: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      found[String(cString: keyword)] = option.pointee.val.map { String(cString: $0) }
      option += 1
    }
    return found
  }

  private static func text(_ secret: Secret) -> String {
    secret.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}

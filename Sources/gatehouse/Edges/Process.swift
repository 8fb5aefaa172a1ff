@preconcurrency import Glibc
import Configuration
import CredentialSupply
import Gateway
import OpenSSLCrypto
import ServiceManager

/// What this process was started with.
enum Process {
  /// Entries that are not UTF-8 are left out: no configuration can name them. So are those by which a service manager speaks
  /// to this process alone.
  static let environment: Environment = {
    var variables: [String: String] = [:]
    forEachVariable { name, value in
      if let text = String(validatingCString: value), !ServiceVariables.names.contains(name) {
        variables[name] = text
      }
    }
    return Environment(variables)
  }()

  /// Where relative paths begin; empty when that folder is gone.
  static var currentFolder: String {
    guard let path = getcwd(nil, 0) else { return "" }
    defer { free(path) }
    return String(cString: path)
  }

  /// What the SDKs' credential sources look at.
  static let surroundings = CredentialSurroundings(
    environment: environment, read: { path in (try? DiskFiles().read(path))?.bytes })

  /// What a service manager says, which is taken out of the environment. To be called before there are other threads.
  static func takeServiceVariables() throws(ServiceFault) -> ServiceVariables {
    // Before anything in it moves.
    _ = environment
    var variables: [String: String] = [:]
    for name in ServiceVariables.names {
      if let value = getenv(name) { variables[name] = String(cString: value) }
      unsetenv(name)
    }
    return try ServiceVariables(variables, processID: getpid())
  }

  /// Variables that hold secrets whether or not a file refers to them.
  private static let secretNames: Set<String> = [
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "GATEHOUSE_MASTER_KEY",
  ]

  /// Wipes secrets, and what else files refer to, where the kernel laid them at the start and shows them in
  /// `/proc/PID/environ`, and where children inherit them from. `environment` still has them. The variables stay, empty, so
  /// that nothing that another thread may be reading moves.
  static func wipeSecrets(and names: Set<String>) {
    // Before they are gone.
    _ = environment
    forEachVariable { name, value in
      if secretNames.contains(name) || names.contains(name) { explicit_bzero(value, strlen(value)) }
    }
  }

  /// - Parameter body: called with a name, and the value where it lies.
  private static func forEachVariable(_ body: (String, UnsafeMutablePointer<CChar>) -> Void) {
    var entry = environ
    while let text = entry.pointee {
      if let equals = strchr(text, Int32(UInt8(ascii: "="))) {
        let name = UnsafeBufferPointer(start: text, count: equals - text)
        if let name = String(validating: name.lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self) {
          body(name, equals + 1)
        }
      }
      entry += 1
    }
  }
}

internal import OpenSSLCrypto

/// What `${ENV:NAME}` stands for in the files of one load, and which names they have.
final class EnvironmentReferences {
  private let environment: Environment
  private(set) var names: Set<String> = []

  init(_ environment: Environment) { self.environment = environment }

  func value(of name: String) -> String? {
    names.insert(name)
    return environment[name]
  }
}

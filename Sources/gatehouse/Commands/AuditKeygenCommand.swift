import ArgumentParser
import Glibc
import OpenSSLCrypto

/// Makes the key pair that signs checkpoints.
struct AuditKeygenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", abstract: "Make an Ed25519 key pair for checkpoints; overwrites nothing.",
    discussion: """
      EXAMPLES:
        gatehouse audit keygen
        gatehouse audit keygen --private audit.key --public audit.pub
      """)

  @Option(name: .customLong("private"), help: "Where the private key goes, mode 0600.")
  var privateFile = "audit-signing.key"
  @Option(name: .customLong("public"), help: "Where the public key goes, for whoever verifies.")
  var publicFile = "audit-signing.pub"

  func run() throws {
    guard let key = Ed25519PrivateKey.generate() else {
      throw CommandFailure(.internalFault, "OpenSSL made no key")
    }
    try Self.write(key.pem, to: privateFile, mode: 0o600)
    do {
      try Self.write(key.publicKey.pem, to: publicFile, mode: 0o644)
    } catch {
      // Half a pair is of no use.
      unlink(privateFile)
      throw error
    }
    Console.message(
      "made \(privateFile) and \(publicFile); keep the public key where the gateway's machine cannot write")
    Console.message("put into the configuration:")
    Console.data("\"audit\": { \"checkpoint\": { \"signingKey\": \"\(privateFile)\" } }")
  }

  private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(CommandFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw CommandFailure(.bad, "cannot make \(path): \(String(cString: strerror(errno)))")
    }
    let written = Glibc.write(descriptor, bytes, bytes.count)
    let isDone = written == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard isDone else {
      unlink(path)
      throw CommandFailure(.bad, "cannot write \(path)")
    }
  }
}

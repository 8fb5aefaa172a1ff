import OpenSSLCrypto
import Primitives

/// An access key as clients are told it.
struct AccessKeyPair: Sendable {
  let id: String
  let secret: String

  init(id: String, secret: String) {
    self.id = id
    self.secret = secret
  }

  /// A random one.
  init() {
    // Base 32 letters: 80 random bits after the prefix, in the shape of AWS's own ids.
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    id = "GHAK" + String(decoding: randomBytes(16).map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    // 40 characters, as AWS's secrets have.
    secret = Base64.encode(randomBytes(30))
  }

  /// Prints what a shell evaluates to use the key.
  func show() {
    Console.data("export AWS_ACCESS_KEY_ID=\(id)")
    Console.data("export AWS_SECRET_ACCESS_KEY=\(secret)")
  }
}

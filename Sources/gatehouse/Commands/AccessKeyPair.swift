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

  /// What a shell evaluates to use the key.
  var exports: String {
    "export AWS_ACCESS_KEY_ID=\(id)\nexport AWS_SECRET_ACCESS_KEY=\(secret)\n"
  }
}

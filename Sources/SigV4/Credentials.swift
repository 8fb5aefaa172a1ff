package import OpenSSLCrypto
package import Primitives

/// What the gateway signs with.
package struct Credentials: Sendable {
  /// Visible ASCII: it is written into a header.
  package let accessKeyId: Text
  package let secret: Secret
  /// Visible ASCII, too.
  package let sessionToken: Secret?
  /// When temporary credentials end.
  package let expiration: WallClockTime?

  /// The caller vouches for visible ASCII; `CredentialParsing` checks it.
  package init(
    accessKeyId: Text, secret: Secret, sessionToken: Secret? = nil,
    expiration: WallClockTime? = nil
  ) {
    self.accessKeyId = accessKeyId
    self.secret = secret
    self.sessionToken = sessionToken
    self.expiration = expiration
  }
}

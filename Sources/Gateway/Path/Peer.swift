internal import Primitives

/// Who is at the other end of a connection. It belongs to the connection's loop.
final class Peer {
  /// Its address without the port.
  let address: Text
  /// URI and DNS names of its verified certificate.
  let certificateNames: [CertificateName]
  /// Whom its last request counted for.
  var source: Source?

  init(address: Text, certificateNames: [CertificateName] = []) {
    self.address = address
    self.certificateNames = certificateNames
  }
}

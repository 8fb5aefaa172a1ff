internal import Primitives

/// Who is at the other end of a connection. It belongs to the connection's loop.
final class Peer {
  /// Its address without the port; if a proxy announced the connection, of whom that named.
  let address: Text
  /// URI and DNS names of its verified certificate.
  let certificateNames: [CertificateName]
  /// Whether a PROXY header came first: then what requests say of where they come from is not read.
  let isAnnounced: Bool
  /// Whom its last request counted for.
  var source: Source?

  init(address: Text, certificateNames: [CertificateName] = [], isAnnounced: Bool = false) {
    self.address = address
    self.isAnnounced = isAnnounced
    self.certificateNames = certificateNames
  }
}

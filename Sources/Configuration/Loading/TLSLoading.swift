internal import OpenSSLCrypto
internal import StrictJSON

/// TLS material: whether it will do is found out by making of it what will serve.
extension ConfigurationLoader {
  func readTLS(of listener: GatewayConfiguration.Listener, _ reading: Reading)
    -> GatewayConfiguration.Listener
  {
    guard let tls = listener.tls else { return listener }
    let certificates = certificates(tls.certificate, reading, isChain: true)
    let key = privateKey(tls.privateKey, of: certificates, reading)
    let authorities = tls.clientCA.map { self.certificates($0, reading) }
    guard let certificates, let key, authorities != .some(nil),
      // That they are missing is said where they are named.
      tls.clientCertificate == .none || authorities != nil
    else { return listener }
    var listener = listener
    do throws(TLSFault) {
      listener.tls?.context = try .server(
        certificates: certificates, privateKey: key, authorities: authorities ?? nil,
        clients: tls.clientCertificate)
    } catch {
      let file =
        switch error.part {
        case .certificate, .context: tls.certificate
        case .privateKey: tls.privateKey
        case .authorities: tls.clientCA ?? tls.certificate
        }
      reading.error(at: file.position, "\(quoted(file.path)): \(error.message)")
    }
    return listener
  }

  func readTrust(_ file: FileReference, _ reading: Reading) -> GatewayConfiguration.UpstreamTrust {
    guard let authorities = certificates(file, reading) else { return .system }
    do throws(TLSFault) {
      return .authorities(try .client(authorities: authorities), digest: SHA256.digest(authorities))
    } catch {
      reading.error(at: file.position, "\(quoted(file.path)): \(error.message)")
      return .system
    }
  }

  /// - Parameter isChain: whether each certificate is to be followed by its issuer's.
  private func certificates(_ file: FileReference, _ reading: Reading, isChain: Bool = false) -> [UInt8]? {
    guard let contents = read(file, reading) else { return nil }
    do throws(PEMFault) {
      let found = try PEM.checkCertificates(contents.bytes)
      if isChain, let place = found.firstIndex(where: { $0.isIssuedByNext == false }) {
        reading.warning(
          at: file.position,
          "\(quoted(file.path)): certificate \(place + 2) is not the issuer of certificate \(place + 1), and callers may"
            + " not find their way; expected the leaf first, and behind each certificate its issuer's")
      }
      reading.certificates.append(.init(config: reading.file, file: file, facts: found))
      return contents.bytes
    } catch {
      reading.error(at: file.position, "\(quoted(file.path)): \(error.message)")
      return nil
    }
  }

  private func privateKey(
    _ file: FileReference, of certificates: [UInt8]?, _ reading: Reading
  ) -> [UInt8]? {
    guard let contents = readSecret(file, holding: "a private key", reading) else { return nil }
    do throws(PEMFault) {
      try PEM.checkPrivateKey(contents.bytes, of: certificates)
      return contents.bytes
    } catch {
      reading.error(at: file.position, "\(quoted(file.path)): \(error.message)")
      return nil
    }
  }
}

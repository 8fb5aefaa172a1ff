internal import OpenSSLCrypto
internal import StrictJSON

/// The small files that the configuration file names: TLS material, the admin token, the key of hashes, the database's password.
extension ConfigurationLoader {
  func readNamedFiles(
    _ draft: ConfigurationDraft, _ named: NamedFiles, _ reading: Reading
  ) -> ConfigurationDraft {
    var draft = draft
    if named == .all {
      for listener in draft.listeners ?? [] {
        if let tls = listener.tls { check(tls, reading) }
      }
      if let caFile = draft.upstream?.caFile { checkAuthorities(caFile, reading) }
      if let admin = draft.admin { draft.admin = readToken(of: admin, reading) }
    }
    if let sensitive = draft.audit?.sensitive { draft.audit?.sensitive = readKey(of: sensitive, reading) }
    if let audit = draft.audit, named == .all {
      draft.audit?.checkpoint.signingKey = readSigningKey(of: audit.checkpoint, reading)
    }
    if let postgres = draft.audit?.postgres {
      draft.audit?.postgres?.password = readPassword(of: postgres, reading)
    }
    return draft
  }

  /// What is allowed, and yet gives the password or the records to whoever looks.
  func warn(of postgres: GatewayConfiguration.Postgres, in contents: FileContents, _ reading: Reading) {
    let url = postgres.url
    if url.isPasswordWritten, contents.isReadableByOthers {
      reading.warning(
        at: url.position,
        "this file holds the password of a database and others than its owner may read it; "
          + "expected mode 600, or \"passwordFile\"")
    }
    if !url.isLocal, !url.isVerified {
      reading.warning(
        at: url.position,
        "the database is on another machine, and without sslmode=verify-full in \"url\" nothing proves that it is "
          + "the right one")
    }
  }

  private func readPassword(of postgres: GatewayConfiguration.Postgres, _ reading: Reading) -> Secret? {
    guard let file = postgres.passwordFile, let contents = read(file, reading) else { return nil }
    if contents.isReadableByOthers {
      reading.error(
        at: file.position,
        "\(quoted(file.path)) holds a password and is readable by others; chmod it to 0600")
    }
    let password = contents.bytes.trimmingWhiteSpace
    if password.isEmpty || password.contains(0) {
      reading.error(at: file.position, "expected a password in \(quoted(file.path)), one line of text")
    }
    return Secret(password)
  }

  private func readSigningKey(of checkpoints: GatewayConfiguration.Checkpoints, _ reading: Reading)
    -> Ed25519PrivateKey?
  {
    guard let file = checkpoints.signingKeyFile, let contents = read(file, reading) else { return nil }
    if contents.isReadableByOthers {
      reading.error(
        at: file.position,
        "\(quoted(file.path)) holds a signing key and is readable by others; chmod it to 0600")
    }
    let key = Ed25519PrivateKey(pem: contents.bytes)
    if key == nil {
      reading.error(
        at: file.position,
        "\(quoted(file.path)) holds no unencrypted Ed25519 key in PKCS#8 PEM; `gatehouse audit keygen` makes one"
      )
    }
    return key
  }

  private func readToken(of admin: GatewayConfiguration.Admin, _ reading: Reading)
    -> GatewayConfiguration.Admin
  {
    var admin = admin
    if let file = admin.tokenFile {
      let contents = admin.isTokenFileNamed ? read(file, reading) : readIfThere(file, reading)
      if let token = contents?.bytes.trimmingWhiteSpace {
        if token.isEmpty { reading.error(at: file.position, "the token file \(quoted(file.path)) is empty") }
        admin.token = Secret(token)
      }
      if contents == nil { admin.tokenFile = nil }
    }
    if admin.tokenFile == nil, !admin.isTokenFileNamed, !admin.address.ip.isLoopback {
      reading.error(
        at: admin.position,
        "the admin address \(quoted("\(admin.address)")) is not loopback and so needs \"tokenFile\"")
    }
    return admin
  }

  private func readKey(
    of sensitive: GatewayConfiguration.Sensitive, _ reading: Reading
  ) -> GatewayConfiguration.Sensitive {
    var sensitive = sensitive
    guard let file = sensitive.keyFile, let contents = read(file, reading) else { return sensitive }
    if contents.bytes.count < 32 {
      reading.error(
        at: file.position, "expected at least 32 bytes in \(quoted(file.path)), found \(contents.bytes.count)"
      )
    }
    sensitive.key = Secret(contents.bytes)
    return sensitive
  }

  private func check(_ tls: GatewayConfiguration.TLS, _ reading: Reading) {
    let certificate = read(tls.certificate, reading)
    let key = read(tls.privateKey, reading)
    if let certificate {
      do throws(PEMFault) {
        try PEM.checkCertificates(certificate.bytes)
      } catch {
        reading.error(at: tls.certificate.position, "\(quoted(tls.certificate.path)): \(error.message)")
      }
    }
    if let key {
      do throws(PEMFault) {
        try PEM.checkPrivateKey(key.bytes, of: certificate?.bytes)
      } catch {
        reading.error(at: tls.privateKey.position, "\(quoted(tls.privateKey.path)): \(error.message)")
      }
    }
    if let clientCA = tls.clientCA { checkAuthorities(clientCA, reading) }
  }

  private func checkAuthorities(_ file: FileReference, _ reading: Reading) {
    guard let contents = read(file, reading) else { return }
    do throws(PEMFault) {
      try PEM.checkCertificates(contents.bytes)
    } catch {
      reading.error(at: file.position, "\(quoted(file.path)): \(error.message)")
    }
  }
}

extension [UInt8] {
  /// Without spaces, tabs and line ends at either end, which editors and `echo` leave in secret files.
  var trimmingWhiteSpace: [UInt8] {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) })
    else {
      return []
    }
    return Array(self[first...last])
  }
}

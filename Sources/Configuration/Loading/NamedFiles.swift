internal import OpenSSLCrypto
internal import StrictJSON

/// The small files that the configuration file names: TLS material, the admin token, the key of hashes, passwords of database
/// and store.
extension ConfigurationLoader {
  func readNamedFiles(
    _ draft: ConfigurationDraft, _ named: NamedFiles, _ reading: Reading
  ) -> ConfigurationDraft {
    var draft = draft
    if named == .all {
      draft.listeners = draft.listeners?.map { readTLS(of: $0, reading) }
      if let caFile = draft.upstream?.caFile { draft.upstream?.trust = readTrust(caFile, reading) }
      if case .redis(let store) = draft.rateLimit?.store {
        draft.rateLimit?.store = .redis(readFiles(of: store, reading))
      }
      if case .profile(_, let file?) = draft.upstream?.credentials.source { judgeCredentials(file, reading) }
      if let admin = draft.admin { draft.admin = readToken(of: admin, reading) }
    }
    if let sensitive = draft.audit?.sensitive { draft.audit?.sensitive = readKey(of: sensitive, reading) }
    if let audit = draft.audit, named == .all {
      draft.audit?.checkpoint.signingKey = readSigningKey(of: audit.checkpoint, reading)
      refuseWritable(folder: audit.directory, mayBeMissing: true, reading)
    }
    if let postgres = draft.audit?.postgres {
      draft.audit?.postgres?.password = readPassword(of: postgres, reading)
      warn(of: postgres.url, reading)
    }
    draft.certificates = reading.certificates
    return draft
  }

  /// What is allowed, and yet gives the records to whoever looks.
  private func warn(of url: GatewayConfiguration.PostgresURL, _ reading: Reading) {
    guard !url.isLocal, !url.isVerified else { return }
    reading.warning(
      at: url.position,
      "the database is on another machine, and without sslmode=verify-full in \"url\" nothing proves that it is "
        + "the right one")
  }

  /// The SDKs' file, which is read when credentials are looked for. A source that fails then does not stop `serve`.
  private func judgeCredentials(_ file: FileReference, _ reading: Reading) {
    do throws(FileFault) {
      let access = try files.read(file.path).access
      guard access.isReadableByOthers else { return }
      reading.warning(
        at: file.position, "\(quoted(file.path)) holds credentials, and \(readable(access, file.path))")
    } catch {
      reading.warning(at: file.position, "cannot read \(quoted(file.path)): \(error.message)")
    }
  }

  private func readPassword(of postgres: GatewayConfiguration.Postgres, _ reading: Reading) -> Secret? {
    postgres.passwordFile.flatMap { readPassword(in: $0, reading) }
  }

  private func readFiles(
    of store: GatewayConfiguration.RedisStore, _ reading: Reading
  ) -> GatewayConfiguration.RedisStore {
    var store = store
    if let file = store.caFile { store.trust = readTrust(file, reading) }
    store.password = store.passwordFile.flatMap { readPassword(in: $0, reading) }
    return store
  }

  private func readPassword(in file: FileReference, _ reading: Reading) -> Secret? {
    guard let contents = readSecret(file, holding: "a password", reading) else { return nil }
    let password = contents.bytes.trimmingWhiteSpace
    if password.isEmpty || password.contains(0) {
      reading.error(at: file.position, "expected a password in \(quoted(file.path)), one line of text")
    }
    return Secret(password)
  }

  private func readSigningKey(of checkpoints: GatewayConfiguration.Checkpoints, _ reading: Reading)
    -> Ed25519PrivateKey?
  {
    guard let file = checkpoints.signingKeyFile,
      let contents = readSecret(file, holding: "a signing key", reading)
    else { return nil }
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
      let contents = readToken(file, mayBeMissing: !admin.isTokenFileNamed, reading)
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

  private func readToken(_ file: FileReference, mayBeMissing: Bool, _ reading: Reading) -> FileContents? {
    if mayBeMissing,
      case .failure(.missing) = Result(catching: { () throws(FileFault) in try files.read(file.path) })
    {
      return nil
    }
    return readSecret(file, holding: "the admin token", reading)
  }

  private func readKey(
    of sensitive: GatewayConfiguration.Sensitive, _ reading: Reading
  ) -> GatewayConfiguration.Sensitive {
    var sensitive = sensitive
    guard let file = sensitive.keyFile, let contents = readSecret(file, holding: "the key of hashes", reading)
    else { return sensitive }
    if contents.bytes.count < 32 {
      reading.error(
        at: file.position, "expected at least 32 bytes in \(quoted(file.path)), found \(contents.bytes.count)"
      )
    }
    sensitive.key = Secret(contents.bytes)
    return sensitive
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

internal import OpenSSLCrypto
internal import Primitives
internal import StrictJSON

extension ConfigurationLoader {
  /// - Parameters:
  ///   - config: the file in which the tenants file is named, and which its own paths are relative to.
  ///   - regions: those that are served; `nil`: that is not known.
  func readTenants(
    at reference: FileReference, namedIn config: String, servedIn regions: [String]?,
    problems: inout [Problem]
  ) -> TenantDirectory? {
    let directory = folder(of: config)
    let naming = Reading(file: config, directory: directory, environment: references)
    guard let contents = read(reference, naming) else {
      problems += naming.problems
      return nil
    }
    let (entries, reading) = readEntries(of: contents.bytes, file: reference.path, directory: directory)
    refuseWritable(contents, at: reference.path, reading)
    refuseReadableSecrets(in: contents, at: reference.path, reading)
    defer { problems += reading.sortedProblems }
    guard let entries else { return nil }
    if let regions { for entry in entries { entry.judge(servedIn: regions, reading) } }
    for entry in entries { entry.judgeLimits(reading) }
    let ends = entries.flatMap { entry in
      entry.accessKeys.compactMap { AccessKeyEnd(of: $0, tenant: entry.id, file: reference.path) }
    }
    return TenantDirectory(entries.map { open($0, reading) }, keyEnds: ends)
  }

  /// A tenants file as written; secrets stay closed, so no key and no other file is needed.
  package func tenantEntries(
    of bytes: [UInt8], file: String, configPath: String
  ) -> ([TenantEntry]?, [Problem]) {
    let (entries, reading) = readEntries(of: bytes, file: file, directory: folder(of: configPath))
    return (reading.problems.hasErrors ? nil : entries, reading.sortedProblems)
  }

  private func readEntries(of bytes: [UInt8], file: String, directory: String) -> ([TenantEntry]?, Reading) {
    let reading = Reading(file: file, directory: directory, environment: references)
    return (parse(bytes, as: TenantEntry.fileForm(knownOperations: knownOperations), reading), reading)
  }

  private func open(_ entry: TenantEntry, _ reading: Reading) -> Tenant {
    Tenant(
      id: entry.id, description: entry.description,
      accessKeys: entry.accessKeys.compactMap { open($0, reading) },
      clientCertificates: entry.clientCertificates.map { CertificateName(written: $0) },
      appInstances: entry.appInstances,
      operations: Set(entry.operations), rateLimit: entry.rateLimit,
      regions: entry.regions?.map(\.value), role: entry.role,
      labels: Dictionary(entry.labels.map { ($0.key, $0.value) }) { first, _ in first })
  }

  private func open(_ key: TenantEntry.AccessKey, _ reading: Reading) -> Tenant.AccessKey? {
    secret(of: key, reading).map {
      Tenant.AccessKey(
        id: key.id, secret: $0, sessionToken: key.sessionToken, status: key.status, notAfter: key.notAfter)
    }
  }

  private func secret(of key: TenantEntry.AccessKey, _ reading: Reading) -> Secret? {
    switch key.secret {
    case .written(let secret, _), .environment(let secret): return secret
    case .file(let file):
      guard let contents = read(file, reading) else { return nil }
      let bytes = contents.bytes.trimmingWhiteSpace
      if bytes.isEmpty { reading.error(at: file.position, "the secret file \(quoted(file.path)) is empty") }
      if contents.access.isReadableByOthers {
        reading.warning(
          at: file.position,
          "\(quoted(file.path)) holds a secret, and \(readable(contents.access, file.path))")
      }
      return Secret(bytes)
    case .sealed(let sealed, let position): return unseal(sealed, of: key, at: position, reading)
    }
  }

  private func unseal(
    _ sealed: String, of key: TenantEntry.AccessKey, at position: SourcePosition, _ reading: Reading
  ) -> Secret? {
    guard let written = environment[MasterKey.variable] else {
      reading.error(at: position, "opening a sealed secret needs $\(MasterKey.variable), which is not set")
      return nil
    }
    guard let masterKey = MasterKey(base64: written) else {
      reading.error(at: position, "$\(MasterKey.variable) must be 32 bytes in base64")
      return nil
    }
    do throws(SealedSecret.Fault) {
      return try SealedSecret.open(sealed, accessKeyID: key.id, masterKey: masterKey)
    } catch {
      reading.error(at: position, error.message)
      return nil
    }
  }
}

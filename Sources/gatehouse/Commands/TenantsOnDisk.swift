import ArgumentParser
import Configuration
import FileWriting
import Gateway
import OpenSSLCrypto
import Primitives
import StrictJSON

/// The tenants file that a configuration names.
struct TenantsOnDisk {
  let path: String
  private let configPath: String
  private let loader: ConfigurationLoader

  init(_ option: ConfigOption) throws(CommandFailure) {
    let configuration = try option.loadConfiguration()
    path = configuration.tenants.path
    configPath = option.path
    loader = option.loader
  }

  /// All tenants as written; no secret is opened.
  func entries() throws(CommandFailure) -> [TenantEntry] {
    let contents: FileContents
    do throws(FileFault) {
      contents = try DiskFiles().read(path)
    } catch {
      throw CommandFailure(.configuration, "\(path): \(error.message)")
    }
    return try read(contents.bytes)
  }

  /// One tenant as written, or which one may have been meant.
  func entry(_ id: String) throws(CommandFailure) -> TenantEntry {
    let entries = try entries()
    guard let entry = entries.first(where: { $0.id == Text(id) }) else {
      throw CommandFailure(unknownTenant: id, among: entries.map(\.id), in: path)
    }
    return entry
  }

  /// Replaces the file with what `edit` makes of it, if that is a file that can be loaded.
  func edit(
    mayBeMissing: Bool = false, _ edit: (TenantsFile) throws(TenantsFile.EditFault) -> TenantsFile
  ) throws {
    try TenantsFileEditor(path: path).edit { bytes in
      let file = try current(bytes, mayBeMissing: mayBeMissing)
      let edited: TenantsFile
      do throws(TenantsFile.EditFault) {
        edited = try edit(file)
      } catch {
        throw CommandFailure(.bad, "\(path): \(error.message)")
      }
      try refuse(edited.bytes)
      return edited.bytes
    }
  }

  func sayWhatIsLeft(_ done: String) {
    Console.message("\(done) \(path); a running gateway follows on SIGHUP")
  }

  private func current(_ bytes: [UInt8]?, mayBeMissing: Bool) throws(CommandFailure) -> TenantsFile {
    guard let bytes else {
      if mayBeMissing { return TenantsFile() }
      throw CommandFailure(.configuration, "\(path): \(FileFault.missing.message)")
    }
    _ = try read(bytes)
    do throws(Problem) {
      return try TenantsFile(parsing: bytes, file: path)
    } catch {
      throw CommandFailure(configuration: [error])
    }
  }

  private func read(_ bytes: [UInt8]) throws(CommandFailure) -> [TenantEntry] {
    let (entries, problems) = loader.tenantEntries(of: bytes, file: path, configPath: configPath)
    guard let entries else { throw CommandFailure(configuration: problems) }
    return entries
  }

  /// The file was good before, so what is wrong with it now was wrong on the command line.
  private func refuse(_ edited: [UInt8]) throws {
    let (_, problems) = loader.tenantEntries(of: edited, file: path, configPath: configPath)
    guard let first = problems.first(where: { $0.severity == .error }) else { return }
    throw ValidationError(first.message)
  }
}

extension CommandFailure {
  /// A tenant was asked for that the file does not have.
  init(unknownTenant id: String, among known: [Text], in path: String) {
    let hint = nearest(to: id, among: known.map(\.string)).map { "; did you mean `\($0)`?" } ?? ""
    self.init(.bad, "there is no tenant `\(id.onOneLine)` in \(path)\(hint)")
  }
}

/// An access key that did not exist before.
struct NewAccessKey {
  let written: TenantsFile.NewKey
  private let secret: String

  /// Random, with the secret sealed when `$GATEHOUSE_MASTER_KEY` is set.
  init() throws(CommandFailure) {
    let pair = AccessKeyPair()
    let id = pair.id
    secret = pair.secret
    guard let variable = Process.environment[MasterKey.variable] else {
      written = .init(id: id, secret: .plain(secret))
      return
    }
    guard let masterKey = MasterKey(base64: variable),
      let sealed = SealedSecret.seal(
        Array(secret.utf8), accessKeyID: Text(id), masterKey: masterKey,
        nonce: randomBytes(AESGCM.nonceLength))
    else {
      throw CommandFailure(.configuration, "$\(MasterKey.variable) must be 32 bytes in base64")
    }
    written = .init(id: id, secret: .sealed(sealed))
  }

  /// Does what makes the key valid, and then hands it out, the only time that the secret is shown: prints it, or gives it
  /// to a file that was made before, for its owner only.
  func handOut(
    tenant: String, _ format: FormatOption.Format, to path: String?, after makeValid: () throws -> Void
  ) throws {
    guard let path else {
      try makeValid()
      return Console.data(lines: String(decoding: text(tenant: tenant, format), as: UTF8.self))
    }
    do {
      let folder = try WritableFolder(path.folderPart, creating: false, followingLinks: true)
      var file = try NewFile(path.namePart, in: folder)
      try file.write(text(tenant: tenant, format))
      try makeValid()
      try file.finish()
      try folder.synchronize()
    } catch let failure as WritingFailure {
      throw CommandFailure(.bad, failure.message)
    }
    Console.message("the access key is in \(path), for its owner only")
  }

  /// With the secret.
  func text(tenant: String, _ format: FormatOption.Format) -> [UInt8] {
    switch format {
    case .text: return Array(AccessKeyPair(id: written.id, secret: secret).exports.utf8)
    case .json:
      var writer = JSONWriter()
      writer.beginObject()
      writer.key("tenant")
      writer.string(tenant)
      writer.key("accessKeyId")
      writer.string(written.id)
      writer.key("secretAccessKey")
      writer.string(secret)
      writer.endObject()
      return writer.bytes + Array("\n".utf8)
    }
  }
}

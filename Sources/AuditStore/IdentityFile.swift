package import AuditTrail
internal import OpenSSLCrypto
internal import Primitives

extension JournalIdentity {
  /// The identity of the journal in a directory.
  /// - Returns: `nil` when no gateway has opened it yet.
  package static func read(_ directory: String) throws(FileFault) -> JournalIdentity? {
    try read(in: PosixFileSystem(directory, creating: false))
  }

  static func read(in files: any JournalFileSystem) throws(FileFault) -> JournalIdentity? {
    guard try files.names().contains(file) else { return nil }
    return try files.contents(of: file, limit: 64).flatMap { JournalIdentity(bytes: $0) }
  }

  /// The identity of the journal that is opened; made when it has none.
  /// - Returns: it, and what was odd about it.
  ///   A journal whose file is gone keeps the name that its last checkpoint has.
  static func claim(in files: any JournalFileSystem, named: JournalIdentity? = nil) throws(JournalOpenFailure)
    -> (JournalIdentity, [String])
  {
    let found = try JournalOpenFailure.wrapping { () throws(FileFault) -> [UInt8]? in
      guard try files.names().contains(file) else { return [] }
      return try files.contents(of: file, limit: 64)
    }
    // What is neither an identity nor torn was written by somebody else.
    guard let found else { throw .unreadableIdentity }
    if let identity = JournalIdentity(bytes: found) {
      if let named, named != identity { throw .otherIdentity(identity, named: named) }
      return (identity, [])
    }
    guard isTorn(found) else { throw .unreadableIdentity }
    let identity = named ?? JournalIdentity(random: SystemEntropy())
    try JournalOpenFailure.wrapping { () throws(FileFault) in try identity.write(in: files) }
    let isNew = try JournalOpenFailure.wrapping { () throws(FileFault) in
      try JournalListing(files).segments.isEmpty
    }
    return (identity, isNew ? [] : ["the journal had no readable \(file); it is now \(identity.text)"])
  }

  private func write(in files: any JournalFileSystem) throws(FileFault) {
    let file = try files.open(Self.file, .write)
    defer { files.close(file) }
    try files.truncate(file, to: 0)
    try files.writeAll(file, named: Self.file, at: 0, bytes)
    try files.synchronize(file)
    try files.synchronizeDirectory()
  }
}

private struct SystemEntropy: Entropy {
  func next() -> UInt64 {
    randomBytes(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }
}

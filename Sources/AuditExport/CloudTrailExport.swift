package import AuditTrail
package import FileWriting
internal import Gzip
package import OpenSSLCrypto
package import Primitives

/// Writes CloudTrail log and digest files for each account and region. They depend on the journal alone
/// (docs/decisions/0040); where retention has taken its beginning, on what an earlier export wrote, too (0103).
package struct CloudTrailExport {
  let folder: ExportFolder
  /// Whole hours, since a digest is about one.
  let since: WallClockTime?
  let until: WallClockTime?
  /// What digest files are signed with (docs/decisions/0102).
  let key: Ed25519PrivateKey?
  /// The time of the first record that retention has left; `nil` when the journal has its beginning.
  let firstLeft: WallClockTime?
  /// How many log and digest files were written.
  package private(set) var fileCount = 0
  private var places: [ExportPlace: CloudTrailFiles] = [:]

  package init(
    into folder: ExportFolder, since: WallClockTime?, until: WallClockTime?, key: Ed25519PrivateKey?,
    firstLeft: WallClockTime?
  ) {
    self.folder = folder
    self.since = since.map { CloudTrailFiles.hour($0) }
    self.until = until
    self.key = key
    self.firstLeft = firstLeft
  }

  /// Takes every request of the journal in order, those outside the time too: they are part of the digests' chain.
  package mutating func take(_ request: RequestHistory, at place: ExportPlace) throws(WritingFailure) {
    var files: CloudTrailFiles
    if let begun = places[place] {
      files = begun
    } else {
      files = CloudTrailFiles(
        at: place, key: key, earlier: try earlier(at: place, from: CloudTrailFiles.hour(request.time)))
    }
    // Not held twice while it changes.
    places[place] = nil
    let complete = files.take(request)
    places[place] = files
    try write(complete)
  }

  package mutating func finish() throws(WritingFailure) {
    for place in Array(places.keys) { try write(places[place]?.finish() ?? []) }
  }

  private mutating func write(_ files: [CloudTrailFiles.File]) throws(WritingFailure) {
    for file in files where since.map({ file.hour >= $0 }) ?? true && until.map({ file.hour < $0 }) ?? true {
      guard let compressed = GzipMember.compressing(file.content) else {
        throw WritingFailure("no memory to compress \(file.path)")
      }
      try folder.write(compressed, as: file.path)
      fileCount += 1
      guard case .digest(let signature) = file.kind else { continue }
      let signatureFile = file.path + Self.signatureSuffix
      if let signature {
        try folder.write(signature, as: signatureFile)
      } else {
        // One of a time when there was a key would be wrong now.
        try folder.remove(signatureFile)
      }
    }
  }

  private static let signatureSuffix = ".sig"
  private static let gzipSuffix = ".json.gz"
}

// What an earlier export wrote.
extension CloudTrailExport {
  /// No digest file of an hour comes near it.
  private static let largestDigest = 16 << 20

  /// - Parameter start: the first hour of which the journal has a request.
  private func earlier(
    at place: ExportPlace, from start: WallClockTime
  ) throws(WritingFailure) -> EarlierExport? {
    guard let firstLeft else { return nil }
    let path = place.digestPath(ofHour: start)
    let last = try folder.last(in: place.digestFolder, before: path, ending: Self.gzipSuffix)
    var before: CloudTrailDigest?
    if let last { before = try digest(last) }
    var digests: [CloudTrailDigest] = []
    let end = EarlierExport.lastHour(first: firstLeft)
    for hour in start < end ? [start, end] : [start] {
      if let digest = try digest(place.digestPath(ofHour: hour)) { digests.append(digest) }
    }
    return EarlierExport(first: firstLeft, before: before, digests: digests)
  }

  private func digest(_ path: String) throws(WritingFailure) -> CloudTrailDigest? {
    guard let file = try folder.read(path) else { return nil }
    guard let content = GzipMember.decompressing(file, limit: Self.largestDigest),
      let digest = CloudTrailDigest(
        content, path: path, signature: try folder.read(path + Self.signatureSuffix))
    else {
      throw WritingFailure(
        "\(folder.path)/\(path) is no digest file of this command: the export cannot go on from it")
    }
    return digest
  }
}

import AuditTrail
import Gzip
import Primitives

/// Writes log and digest files for each account and region.
struct CloudTrailExport {
  let folder: ExportFolder
  /// Whole hours, since a digest is about one.
  let since: WallClockTime?
  let until: WallClockTime?
  private var places: [ExportPlace: CloudTrailFiles] = [:]

  init(into folder: ExportFolder, since: WallClockTime?, until: WallClockTime?) {
    self.folder = folder
    self.since = since.map { CloudTrailFiles.hour($0) }
    self.until = until
  }

  /// Takes every request of the journal in order, those outside the time too: they are part of the digests' chain.
  mutating func take(_ request: RequestHistory, at place: ExportPlace) throws(CommandFailure) {
    try write(places[place, default: CloudTrailFiles(at: place)].take(request))
  }

  mutating func finish() throws(CommandFailure) {
    for place in places.keys { try write(places[place]?.finish() ?? []) }
  }

  private func write(_ files: [CloudTrailFiles.File]) throws(CommandFailure) {
    for file in files where since.map({ file.hour >= $0 }) ?? true && until.map({ file.hour < $0 }) ?? true {
      guard let compressed = GzipMember.compressing(file.content) else {
        throw CommandFailure(.internalFault, "no memory to compress \(file.path)")
      }
      try folder.write(compressed, as: file.path)
    }
  }
}

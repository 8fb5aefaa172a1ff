package import Primitives
internal import OpenSSLCrypto
internal import StrictJSON

/// Puts requests into log files and digest files as CloudTrail lays them out.
///
/// The names and contents of files depend on nothing but the journal, so that a second export writes the same files
/// again. A file holds at most five minutes and 10 000 events; as with CloudTrail its time is when its events were
/// recorded, so an event that was recorded late stands in a later file.
package struct CloudTrailFiles {
  package struct File: Sendable {
    /// Relative to the export's folder.
    package let path: String
    /// Before compression.
    package let content: [UInt8]
    /// The hour that it belongs to.
    package let hour: WallClockTime
  }

  private let place: ExportPlace
  private var window: WallClockTime?
  private var content: [UInt8] = []
  private var count = 0
  private var firstId: Text = ""
  private var span: (oldest: WallClockTime, newest: WallClockTime)?
  private var logs: [LogEntry] = []
  private var previous: (path: String, digest: SHA256Digest)?

  private struct LogEntry {
    let path: String
    let digest: SHA256Digest
    let oldest: WallClockTime
    let newest: WallClockTime
  }

  private static let windowSeconds: Int64 = 300
  private static let mostEvents = 10_000

  package init(at place: ExportPlace) { self.place = place }

  /// Takes the next request, in the order of the journal.
  /// - Returns: the files that are complete now.
  package mutating func take(_ request: RequestHistory) -> [File] {
    let due = Self.floor(request.time, Self.windowSeconds)
    var files: [File] = []
    if let window, due > window {
      files += endFile()
      if Self.hour(due) > Self.hour(window) { files += endHour() }
    }
    let window = max(window ?? due, due)
    self.window = window
    if count == Self.mostEvents { files += endFile() }
    if count == 0 {
      firstId = request.requestId
      content.append("{\"Records\":[")
    } else {
      content.append(",")
    }
    content += request.cloudTrailEvent(at: place)
    count += 1
    span = (min(span?.oldest ?? request.time, request.time), max(span?.newest ?? request.time, request.time))
    return files
  }

  /// - Returns: the last files.
  package mutating func finish() -> [File] { endFile() + endHour() }

  /// The hour that `time` is in, in UTC.
  package static func hour(_ time: WallClockTime) -> WallClockTime { floor(time, 3600) }

  private static func floor(_ time: WallClockTime, _ seconds: Int64) -> WallClockTime {
    let rest = time.seconds % seconds
    return WallClockTime(seconds: time.seconds - (rest < 0 ? rest + seconds : rest))
  }

  private mutating func endFile() -> [File] {
    guard count > 0, let window, let span else { return [] }
    content.append("]}")
    let unique = SHA256.digest(firstId.utf8).hex.prefix(16).uppercased()
    let minute = String(decoding: window.amzDate.prefix(13), as: UTF8.self)
    let path =
      folder("CloudTrail", window)
      + "\(place.account)_CloudTrail_\(place.region)_\(minute)Z_\(unique).json.gz"
    logs.append(
      LogEntry(path: path, digest: SHA256.digest(content), oldest: span.oldest, newest: span.newest))
    let file = File(path: path, content: content, hour: Self.hour(window))
    content = []
    count = 0
    self.span = nil
    return [file]
  }

  private mutating func endHour() -> [File] {
    guard let window, !logs.isEmpty else { return [] }
    let start = Self.hour(window)
    let end = start.advanced(byNanoseconds: 3600 * 1_000_000_000)
    let path =
      folder("CloudTrail-Digest", end)
      + "\(place.account)_CloudTrail-Digest_\(place.region)_gatehouse_\(place.region)_"
      + String(decoding: end.amzDate, as: UTF8.self) + ".json.gz"
    let content = digest(from: start, to: end, path: path)
    previous = (path, SHA256.digest(content))
    logs = []
    return [File(path: path, content: content, hour: start)]
  }

  private func folder(_ kind: String, _ time: WallClockTime) -> String {
    let date = time.wholeSeconds.string
    let day = date.prefix(10).split(separator: "-").joined(separator: "/")
    return "AWSLogs/\(place.account)/\(kind)/\(place.region)/\(day)/"
  }
}

extension CloudTrailFiles {
  /// As "CloudTrail digest file structure" has it. There is no bucket and no RSA key, so what would name them is null.
  private func digest(from start: WallClockTime, to end: WallClockTime, path: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.text("awsAccountId", place.account)
    writer.text("digestStartTime", start.wholeSeconds)
    writer.text("digestEndTime", end.wholeSeconds)
    Self.null("digestS3Bucket", in: &writer)
    writer.text("digestS3Object", Text(path))
    Self.null("digestPublicKeyFingerprint", in: &writer)
    Self.null("digestSignatureAlgorithm", in: &writer)
    writer.text("newestEventTime", logs.map(\.newest).max()?.wholeSeconds)
    writer.text("oldestEventTime", logs.map(\.oldest).min()?.wholeSeconds)
    Self.null("previousDigestS3Bucket", in: &writer)
    if let previous {
      writer.text("previousDigestS3Object", Text(previous.path))
      writer.text("previousDigestHashValue", Text(previous.digest.hex))
      writer.text("previousDigestHashAlgorithm", "SHA-256")
    } else {
      Self.null("previousDigestS3Object", in: &writer)
      Self.null("previousDigestHashValue", in: &writer)
      Self.null("previousDigestHashAlgorithm", in: &writer)
    }
    Self.null("previousDigestSignature", in: &writer)
    writer.key("logFiles")
    writer.beginArray()
    for log in logs {
      writer.beginObject()
      Self.null("s3Bucket", in: &writer)
      writer.text("s3Object", Text(log.path))
      writer.text("hashValue", Text(log.digest.hex))
      writer.text("hashAlgorithm", "SHA-256")
      writer.text("newestEventTime", log.newest.wholeSeconds)
      writer.text("oldestEventTime", log.oldest.wholeSeconds)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  private static func null(_ key: StaticString, in writer: inout JSONWriter) {
    writer.key(key)
    writer.null()
  }
}

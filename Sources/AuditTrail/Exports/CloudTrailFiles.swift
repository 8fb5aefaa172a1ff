package import OpenSSLCrypto
package import Primitives

/// Puts requests into log files and digest files as CloudTrail lays them out.
///
/// The names and contents of files depend on nothing but the journal, so that a second export writes the same files
/// again. A file holds at most five minutes and 10 000 events; as with CloudTrail its time is when its events were
/// recorded, so an event that was recorded late stands in a later file. Only where retention has taken a part of the
/// journal since, files that an earlier export wrote stay as they are.
package struct CloudTrailFiles {
  package struct File: Sendable {
    /// Relative to the export's folder.
    package let path: String
    /// Before compression.
    package let content: [UInt8]
    /// The hour that it belongs to.
    package let hour: WallClockTime
    package let kind: Kind
  }

  package enum Kind: Sendable, Hashable {
    case log
    /// With its signature, when there is a key.
    case digest(signature: [UInt8]?)
  }

  private let place: ExportPlace
  private var window: WallClockTime?
  private var content: [UInt8] = []
  private var count = 0
  private var firstId: Text = ""
  private var span: (oldest: WallClockTime, newest: WallClockTime)?
  /// Of the hour at hand.
  private var logs: [CloudTrailDigest.Log] = []
  private var previous: CloudTrailDigest.Link?
  private let earlier: EarlierExport?
  private let key: Ed25519PrivateKey?

  private static let windowSeconds: Int64 = 300
  private static let mostEvents = 10_000

  /// - Parameters:
  ///   - key: what digest files are signed with.
  ///   - earlier: what was written before retention took something; `nil` when the journal has its beginning.
  package init(at place: ExportPlace, key: Ed25519PrivateKey?, earlier: EarlierExport? = nil) {
    self.place = place
    self.key = key
    self.earlier = earlier
    previous = earlier?.before
  }

  /// Takes the next request, in the order of the journal.
  /// - Returns: the files that are complete now.
  package mutating func take(_ request: RequestHistory) -> [File] {
    let due = Self.window(request.time)
    var files: [File] = []
    if let window, due > window {
      files += endFile()
      if Self.hour(due) > Self.hour(window) { files += endHour() }
    }
    let window = max(window ?? due, due)
    self.window = window
    if earlier?.has(Self.minute(window)) == true { return files }
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

  /// The beginning of the five minutes that `time` is in.
  static func window(_ time: WallClockTime) -> WallClockTime { floor(time, windowSeconds) }

  /// `20261123T1305`, as it stands in the names of files.
  static func minute(_ time: WallClockTime) -> Text { Text(uncheckedUTF8: Array(time.amzDate.prefix(13))) }

  private static func floor(_ time: WallClockTime, _ seconds: Int64) -> WallClockTime {
    let rest = time.seconds % seconds
    return WallClockTime(seconds: time.seconds - (rest < 0 ? rest + seconds : rest))
  }

  private mutating func endFile() -> [File] {
    guard count > 0, let window, let span else { return [] }
    content.append("]}")
    let unique = SHA256.digest(firstId.utf8).hex.prefix(16).uppercased()
    let minute = Self.minute(window)
    let path =
      place.folder("CloudTrail", window)
      + "\(place.account)_CloudTrail_\(place.region)_\(minute)Z_\(unique).json.gz"
    logs.append(
      CloudTrailDigest.Log(
        path: Text(path), hash: Text(SHA256.digest(content).hex), oldest: span.oldest.wholeSeconds,
        newest: span.newest.wholeSeconds))
    let file = File(path: path, content: content, hour: Self.hour(window), kind: .log)
    content = []
    count = 0
    self.span = nil
    return [file]
  }

  private mutating func endHour() -> [File] {
    guard let window else { return [] }
    let start = Self.hour(window)
    let hour = Self.minute(start).string.prefix(11)
    let kept = earlier?.logs.filter { $0.minute.string.hasPrefix(hour) } ?? []
    guard !kept.isEmpty || !logs.isEmpty else { return [] }
    let path = place.digestPath(ofHour: start)
    let digest = CloudTrailDigest(
      at: place, from: start, to: start.advanced(byNanoseconds: 3600 * 1_000_000_000), path: path,
      logs: kept + logs, previous: previous, key: key)
    previous = digest.link
    logs = []
    return [
      File(path: path, content: digest.content, hour: start, kind: .digest(signature: digest.signature))
    ]
  }
}

extension ExportPlace {
  /// Where the digest files lie, in folders for years, months and days.
  package var digestFolder: String { "AWSLogs/\(account)/CloudTrail-Digest/\(region)" }

  /// The digest file of the hour that begins at `start`; it is named after the hour's end.
  package func digestPath(ofHour start: WallClockTime) -> String {
    let end = start.advanced(byNanoseconds: 3600 * 1_000_000_000)
    return folder("CloudTrail-Digest", end)
      + "\(account)_CloudTrail-Digest_\(region)_gatehouse_\(region)_"
      + String(decoding: end.amzDate, as: UTF8.self) + ".json.gz"
  }

  fileprivate func folder(_ kind: String, _ time: WallClockTime) -> String {
    let day = time.wholeSeconds.string.prefix(10).split(separator: "-").joined(separator: "/")
    return "AWSLogs/\(account)/\(kind)/\(region)/\(day)/"
  }
}

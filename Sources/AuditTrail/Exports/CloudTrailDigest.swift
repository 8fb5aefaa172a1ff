internal import OpenSSLCrypto
package import Primitives
internal import StrictJSON

/// A digest file: which log files an hour has, and which digest file came before (AWS CloudTrail User Guide,
/// "CloudTrail digest file structure").
///
/// There is no bucket, so what would name one is `null`. With a key the file is signed with Ed25519 and not, as AWS
/// does it, with RSA. What is signed is the uncompressed file, which has in it everything that AWS signs: its own path,
/// its end and the signature before.
package struct CloudTrailDigest: Sendable {
  /// A log file that it lists.
  package struct Log: Sendable, Hashable {
    let path: Text
    /// Of the uncompressed file, in hexadecimal.
    let hash: Text
    /// Whole seconds.
    let oldest: Text
    let newest: Text

    /// The minute that stands in its name: `20261123T1305`.
    var minute: Text {
      let parts = path.string.split(separator: "/").last?.split(separator: "_") ?? []
      return Text(parts.count > 3 ? String(parts[3].prefix(13)) : "")
    }
  }

  /// What the digest file after it names.
  package struct Link: Sendable, Hashable {
    let path: Text
    let hash: Text
    /// In hexadecimal; `nil` when it is not signed.
    let signature: Text?
  }

  package let content: [UInt8]
  /// 64 bytes.
  package let signature: [UInt8]?
  package let link: Link
  package let logs: [Log]

  init(
    at place: ExportPlace, from start: WallClockTime, to end: WallClockTime, path: String, logs: [Log],
    previous: Link?, key: Ed25519PrivateKey?
  ) {
    content = Self.written(place, start, end, Text(path), logs, previous, key?.publicKey)
    signature = key?.sign(content)
    self.logs = logs
    link = Link(path: Text(path), content: content, signature: signature)
  }

  /// Reads a file that was written before.
  /// - Parameter path: relative to the export's folder, as the file must name itself.
  package init?(_ content: [UInt8], path: String, signature: [UInt8]?) {
    guard let document = try? JSONDocument(parsing: content),
      document.member("digestS3Object", of: document.root).flatMap({ document.text($0) }) == Text(path),
      let list = document.member("logFiles", of: document.root)
    else { return nil }
    var logs: [Log] = []
    for entry in document.elements(list) {
      let text = { (key: Text) in document.member(key, of: entry).flatMap { document.text($0) } }
      guard let path = text("s3Object"), let hash = text("hashValue"), let oldest = text("oldestEventTime"),
        let newest = text("newestEventTime")
      else { return nil }
      logs.append(Log(path: path, hash: hash, oldest: oldest, newest: newest))
    }
    self.content = content
    self.signature = signature
    self.logs = logs
    link = Link(path: Text(path), content: content, signature: signature)
  }

  private static func written(
    _ place: ExportPlace, _ start: WallClockTime, _ end: WallClockTime, _ path: Text, _ logs: [Log],
    _ previous: Link?, _ key: Ed25519PublicKey?
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.text("awsAccountId", place.account)
    writer.text("digestStartTime", start.wholeSeconds)
    writer.text("digestEndTime", end.wholeSeconds)
    writer.textOrNull("digestS3Bucket", nil)
    writer.text("digestS3Object", path)
    writer.textOrNull("digestPublicKeyFingerprint", key.map { Text($0.fingerprint.hex) })
    writer.textOrNull("digestSignatureAlgorithm", key.map { _ in "Ed25519" })
    // Texts of one form and in UTC sort as the times do.
    writer.textOrNull("newestEventTime", logs.map(\.newest).max())
    writer.textOrNull("oldestEventTime", logs.map(\.oldest).min())
    writer.textOrNull("previousDigestS3Bucket", nil)
    writer.textOrNull("previousDigestS3Object", previous?.path)
    writer.textOrNull("previousDigestHashValue", previous?.hash)
    writer.textOrNull("previousDigestHashAlgorithm", previous.map { _ in "SHA-256" })
    writer.textOrNull("previousDigestSignature", previous?.signature)
    writer.key("logFiles")
    writer.beginArray()
    for log in logs {
      writer.beginObject()
      writer.textOrNull("s3Bucket", nil)
      writer.text("s3Object", log.path)
      writer.text("hashValue", log.hash)
      writer.text("hashAlgorithm", "SHA-256")
      writer.text("newestEventTime", log.newest)
      writer.text("oldestEventTime", log.oldest)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension CloudTrailDigest.Link {
  fileprivate init(path: Text, content: [UInt8], signature: [UInt8]?) {
    self.path = path
    hash = Text(SHA256.digest(content).hex)
    self.signature = signature.map { Text(Hex.encode($0)) }
  }
}

/// What an earlier export wrote, from the time when the journal still had what retention has removed since.
///
/// Log files of windows that the journal may no longer have in full are not written again; digest files go on listing
/// them.
package struct EarlierExport: Sendable {
  /// The last window that may lack something.
  let boundary: Text
  /// The last digest file before the hours that are written.
  let before: CloudTrailDigest.Link?
  /// Log files up to the boundary, of the hours that are written.
  let logs: [CloudTrailDigest.Log]

  /// A request may be recorded that much later than its time says, which decides on its window.
  private static let latestRecording: Int64 = 120 * 1_000_000_000

  /// - Parameters:
  ///   - first: when the first record was written that the journal still has.
  ///   - before: the last digest file before the hours that are written.
  ///   - digests: those of the hours that are written and may lack something.
  package init(first: WallClockTime, before: CloudTrailDigest?, digests: [CloudTrailDigest]) {
    let boundary = CloudTrailFiles.minute(CloudTrailFiles.window(Self.boundary(first)))
    self.boundary = boundary
    self.before = before?.link
    logs = digests.flatMap(\.logs).filter { $0.minute <= boundary }
  }

  /// The last hour in which something may be missing.
  package static func lastHour(first: WallClockTime) -> WallClockTime {
    CloudTrailFiles.hour(boundary(first))
  }

  private static func boundary(_ first: WallClockTime) -> WallClockTime {
    first.advanced(byNanoseconds: latestRecording)
  }

  /// Whether the log files of this window stay as they are.
  func has(_ minute: Text) -> Bool {
    logs.contains { $0.minute == minute }
  }
}

extension JSONWriter {
  fileprivate mutating func textOrNull(_ key: StaticString, _ value: Text?) {
    self.key(key)
    if let value { string(value) } else { null() }
  }
}

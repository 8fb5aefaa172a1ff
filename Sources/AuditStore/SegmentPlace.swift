internal import AuditTrail
internal import Glibc
internal import OpenSSLCrypto

/// How the segment that is written can be gone from its place.
enum Displacement: Int32 {
  /// Nothing has its name.
  case removed
  /// Another file has its name.
  case replaced
  /// It is shorter or longer than what was written.
  case changed
  /// The directory is not at its path.
  case directory

  init(code: Int32) { self = Displacement(rawValue: code) ?? .removed }

  func fault(_ name: String) -> FileFault { FileFault(.displaced, name, code: rawValue) }

  func description(of name: String) -> String {
    let what =
      switch self {
      case .removed: "\(name) was removed or renamed while it was written"
      case .replaced: "\(name) was replaced by another file while it was written"
      case .changed: "\(name) was changed by somebody else while it was written"
      case .directory:
        "\(name) is no longer in the directory of `audit.directory`, which was renamed or replaced"
      }
    return "\(what); put it back, or send SIGUSR1 to have it written anew from the open file"
  }
}

/// Whether what is written can be found by whoever looks for it. A record in a file that nobody can find is none.
///
/// The descriptor of a segment that was removed or replaced is kept: it holds what may be the only copy. When the same
/// file is back in its place, all is well again. Otherwise it is written anew from the descriptor, and goes on in another
/// segment, when somebody asks for that (`putsBack`): whoever removes the segment of a journal should be noticed first.
extension SegmentWriter {
  /// Looks by the path for what was written; one system call.
  func checkPlace(of segment: Segment) throws(FileFault) {
    guard let found = try files.find(segment.place) else {
      throw try displacement(.removed).fault(segment.place.name)
    }
    guard found.identity == segment.identity else {
      throw try displacement(.replaced).fault(segment.place.name)
    }
    guard found.size == segment.end else { throw Displacement.changed.fault(segment.place.name) }
  }

  private func displacement(_ assumed: Displacement) throws(FileFault) -> Displacement {
    try files.isInPlace() ? assumed : .directory
  }

  /// Returns when the segment is in its place, and was not changed but at its end.
  /// - Parameters:
  ///   - end: what must be there.
  ///   - head: the record that must end there.
  func settlePlace(of segment: Segment, upTo end: Int, _ head: ChainHead) throws(FileFault) {
    let name = segment.name.file
    let found = try files.find(name)
    let isWhole = try holds(segment, head, before: end)
    if let found, found.identity == segment.identity, isWhole { return }
    guard try files.isInPlace() else { throw Displacement.directory.fault(name) }
    guard putsBack, isWhole else {
      guard let found else { throw Displacement.removed.fault(name) }
      throw (found.identity == segment.identity ? Displacement.changed : .replaced).fault(name)
    }
    if found != nil { try files.rename(name, to: try freeName(for: segment)) }
    try writeAnew(segment, upTo: end)
    notePutBack(segment.name)
  }

  /// Whether the open file has what was written: its last record is vouched for by its digest, and vouches for the others.
  private func holds(_ segment: Segment, _ head: ChainHead, before end: Int) throws(FileFault) -> Bool {
    guard end > 0 else { return true }
    guard try files.size(segment.file) >= end else { return false }
    return try files.lastLine(of: segment.file, before: end).map { SHA256.digest($0) } == head.digest
  }

  private func writeAnew(_ segment: Segment, upTo end: Int) throws(FileFault) {
    let partial = "\(segment.name.file).partial"
    let file = try files.open(partial, .write)
    defer { files.close(file) }
    try files.truncate(file, to: 0)
    var done = 0
    while done < end {
      let bytes = try files.contents(of: segment.file, from: done, count: min(1 << 20, end - done))
      try files.writeAll(file, named: partial, at: done, bytes)
      done += bytes.count
    }
    try files.synchronize(file)
    try files.rename(partial, to: segment.name.file)
    try files.synchronizeDirectory()
  }

  /// What stood in its place is kept beside it.
  private func freeName(for segment: Segment) throws(FileFault) -> String {
    let taken = Set(try files.names())
    var number = 1
    while taken.contains("\(segment.name.file).replaced-\(number)") { number += 1 }
    return "\(segment.name.file).replaced-\(number)"
  }
}

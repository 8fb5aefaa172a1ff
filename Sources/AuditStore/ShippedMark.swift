/// How far the journal is known to have been copied, in a small file beside the segments: so that it can be told how
/// much is missing while the copy cannot be asked. It may lag behind what was copied, never run ahead.
package struct ShippedMark: Sendable {
  private let files: any JournalFileSystem
  /// Whose copy: another one has other records.
  private let destination: String

  package init(directory: String, destination: String) throws(FileFault) {
    files = try PosixFileSystem(directory, creating: false)
    self.destination = destination
  }

  /// The last record that was copied; 0 when the file is not there, says nothing or is about another copy.
  package func read() throws(FileFault) -> Int {
    guard try files.names().contains(Self.file), let bytes = try files.contents(of: Self.file, limit: 4096)
    else { return 0 }
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[1] == destination + "\n", let sequence = Int(parts[0]), sequence > 0
    else { return 0 }
    return sequence
  }

  package func write(_ sequence: Int) throws(FileFault) {
    let digits = String(sequence)
    let line = String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits + " \(destination)\n"
    let file = try files.open(Self.file, .write)
    let result = Result { () throws(FileFault) in
      try files.writeAll(file, named: Self.file, at: 0, Array(line.utf8))
      try files.truncate(file, to: line.utf8.count)
    }
    files.close(file)
    try result.get()
  }

  private static let file = "shipped.postgres"
}

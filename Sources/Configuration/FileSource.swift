package import StrictJSON

/// What the edge found at a path.
package struct FileContents: Sendable {
  package let bytes: [UInt8]
  /// The permission bits, `0o600`.
  package let permissions: UInt16

  package init(bytes: [UInt8], permissions: UInt16) {
    self.bytes = bytes
    self.permissions = permissions
  }

  /// Whether someone besides the file's owner may read it.
  package var isReadableByOthers: Bool { permissions & 0o044 != 0 }
}

/// Why a file or folder could not be read.
package enum FileFault: Error, Sendable, Hashable {
  case missing
  case notPermitted
  case notAFile
  case notADirectory
  /// Symbolic links that lead to each other.
  case linkLoop
  /// Larger than any file of this kind has reason to be; the limit in bytes.
  case tooLarge(limit: Int)
  /// The system's own words, for what is none of the above.
  case failed(String)

  package var message: String {
    switch self {
    case .missing: "no such file or directory"
    case .notPermitted: "permission denied"
    case .notAFile: "not a regular file"
    case .notADirectory: "not a directory"
    case .linkLoop: "too many symbolic links"
    case .tooLarge(let limit): "larger than \(limit) bytes"
    case .failed(let reason): reason
    }
  }
}

/// Where files come from: the executable reads the disk, tests have theirs in memory.
package protocol FileSource {
  func read(_ path: String) throws(FileFault) -> FileContents
  /// The names of the entries of a folder, in any order, without `.` and `..`.
  func names(in directory: String) throws(FileFault) -> [String]
  /// What is the same for all paths that lead to one folder.
  func identity(of directory: String) throws(FileFault) -> String
}

/// A path in a file, and where it stands there.
package struct FileReference: Sendable, Hashable {
  /// As the edge can open it: absolute, or relative to the working directory.
  package let path: String
  package let position: SourcePosition

  package init(path: String, position: SourcePosition) {
    self.path = path
    self.position = position
  }
}

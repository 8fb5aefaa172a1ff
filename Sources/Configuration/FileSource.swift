package import StrictJSON

/// Who may do what with a file or folder besides its owner, as the edge found it. A link is what it leads to.
package struct FileAccess: Sendable, Hashable {
  /// The permission bits, `0o600`.
  package let permissions: UInt16
  /// Whether it belongs to the user that this process runs as.
  package let isOwned: Bool
  /// Whether its group is one of this process's.
  package let isOfOurGroup: Bool
  /// Whether it lies where nobody can write, whatever its mode.
  package let isOnReadOnlyMedium: Bool

  package init(
    permissions: UInt16, isOwned: Bool = true, isOfOurGroup: Bool = true, isOnReadOnlyMedium: Bool = false
  ) {
    self.permissions = permissions
    self.isOwned = isOwned
    self.isOfOurGroup = isOfOurGroup
    self.isOnReadOnlyMedium = isOnReadOnlyMedium
  }

  /// Whether others may read a secret in it. What belongs to another user can reach this process by a group alone, as
  /// Kubernetes' fsGroup lays it.
  package var isReadableByOthers: Bool {
    permissions & (isOwned || !isOfOurGroup ? 0o044 : 0o004) != 0
  }

  package var isWritableByOthers: Bool { !isOnReadOnlyMedium && permissions & 0o022 != 0 }

  /// As `chmod` takes it.
  package var mode: String { String(permissions, radix: 8) }
}

/// What the edge found at a path.
package struct FileContents: Sendable {
  package let bytes: [UInt8]
  package let access: FileAccess

  package init(bytes: [UInt8], access: FileAccess) {
    self.bytes = bytes
    self.access = access
  }
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

/// Where files come from: the executable reads the disk, tests have theirs in memory. Only regular files are files.
package protocol FileSource {
  func read(_ path: String) throws(FileFault) -> FileContents
  /// The names of the entries of a folder, in any order, without `.` and `..`.
  func names(in directory: String) throws(FileFault) -> [String]
  func access(to directory: String) throws(FileFault) -> FileAccess
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

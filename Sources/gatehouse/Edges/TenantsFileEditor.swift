import Configuration
import FileWriting
import Gateway
import Glibc

/// Replaces the tenants file as a whole, so that a reader sees the old file or the new one, and never a part.
struct TenantsFileEditor {
  let path: String

  /// Writes what `edit` makes of the file's bytes; `nil` stands for a file that is not there. Commands that edit at
  /// the same time wait for each other.
  func edit(_ edit: ([UInt8]?) throws -> [UInt8]) throws {
    let target = resolved
    do {
      let folder = try WritableFolder(target.folderPart, creating: false, followingLinks: true)
      try folder.lock()
      let replacement = try edit(try current(target))
      var file = try NewFile(target.namePart, in: folder)
      try file.write(replacement)
      // When root edits the file of the gateway's user, that user must still be able to read it.
      file.keepOwner()
      try file.finish()
      // The new name is on disk only once its folder is.
      try folder.synchronize()
    } catch let failure as WritingFailure {
      throw CommandFailure(.bad, failure.message)
    }
  }

  /// The file itself when the path is a symbolic link: replacing the link would leave its target behind.
  private var resolved: String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private func current(_ target: String) throws -> [UInt8]? {
    do throws(FileFault) {
      return try DiskFiles().read(target).bytes
    } catch {
      if error == .missing { return nil }
      throw CommandFailure(.configuration, "\(target): \(error.message)")
    }
  }
}

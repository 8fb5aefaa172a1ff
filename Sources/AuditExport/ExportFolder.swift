package import FileWriting

/// The folder that an export writes into. A file appears there whole, or not at all; links in it are not followed.
package struct ExportFolder {
  package var path: String { folder.path }
  private let folder: WritableFolder

  /// No digest file of an hour comes near it.
  private static let largest = 16 << 20

  /// Makes the folder, and those above it, when they are not there.
  package init(_ path: String) throws(WritingFailure) {
    folder = try WritableFolder(path, creating: true)
  }

  /// Writes a whole file under `name`, which may have folders in it.
  package func write(_ bytes: [UInt8], as name: String) throws(WritingFailure) {
    var file = try open(name)
    try file.write(bytes)
    try file.finish()
  }

  /// A file to be written piece by piece.
  package func open(_ name: String) throws(WritingFailure) -> NewFile {
    var folder = folder
    let parts = name.split(separator: "/").map(String.init)
    for part in parts.dropLast() { folder = try folder.folder(part) }
    return try NewFile(parts.last ?? "", in: folder)
  }

  /// - Returns: `nil` when there is no such file.
  func read(_ name: String) throws(WritingFailure) -> [UInt8]? {
    guard let (folder, last) = try place(of: name) else { return nil }
    return try folder.read(last, limit: Self.largest)
  }

  /// Removes a file, if it is there.
  func remove(_ name: String) throws(WritingFailure) {
    guard let (folder, last) = try place(of: name) else { return }
    try folder.remove(last)
  }

  /// The last file in `name` and the folders in it, in the order of their paths, before `limit`.
  func last(in name: String, before limit: String, ending suffix: String) throws(WritingFailure) -> String? {
    guard let (parent, last) = try place(of: name), let folder = try parent.folderIfThere(last) else {
      return nil
    }
    return try Self.last(in: folder, name, before: limit, ending: suffix)
  }

  private static func last(
    in folder: WritableFolder, _ path: String, before limit: String, ending suffix: String
  ) throws(WritingFailure) -> String? {
    for name in try folder.names().sorted().reversed() {
      let found = "\(path)/\(name)"
      if found.hasSuffix(suffix), found < limit { return found }
      guard !name.contains("."), try folder.hasFolder(name), let inner = try folder.folderIfThere(name) else {
        continue
      }
      if let inside = try last(in: inner, found, before: limit, ending: suffix) { return inside }
    }
    return nil
  }

  /// The folder that a file is in, and its name there; `nil` when there is no such folder.
  private func place(of name: String) throws(WritingFailure) -> (WritableFolder, String)? {
    var folder = folder
    let parts = name.split(separator: "/").map(String.init)
    for part in parts.dropLast() {
      guard let next = try folder.folderIfThere(part) else { return nil }
      folder = next
    }
    return (folder, parts.last ?? "")
  }
}

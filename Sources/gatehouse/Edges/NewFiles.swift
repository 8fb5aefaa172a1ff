import FileWriting

/// Files that a command makes in a folder, all of them for their owner only.
enum NewFiles {
  /// Writes each into the folder, which is made when it is not there.
  ///
  /// - Throws: when one of that name is there already; then none was written.
  static func write(_ files: [(name: String, content: [UInt8])], into path: String) throws(CommandFailure) {
    do throws(WritingFailure) {
      let folder = try WritableFolder(path, creating: true)
      let present = Set(try folder.names())
      if let taken = files.first(where: { present.contains($0.name) }) {
        throw WritingFailure("\(path)/\(taken.name) is there already; name another folder")
      }
      for (name, content) in files {
        var file = try NewFile(name, in: folder)
        try file.write(content)
        try file.finish()
      }
      try folder.synchronize()
    } catch {
      throw CommandFailure(.bad, error.message)
    }
  }
}

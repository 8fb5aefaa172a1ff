internal import StrictJSON

/// Who else may read what is secret and write what decides.
extension ConfigurationLoader {
  /// A file that holds nothing but a secret.
  ///
  /// - Parameter content: what it holds: `a signing key`.
  func readSecret(_ file: FileReference, holding content: String, _ reading: Reading) -> FileContents? {
    guard let contents = read(file, reading) else { return nil }
    if contents.access.isReadableByOthers {
      reading.error(
        at: file.position,
        "\(quoted(file.path)) holds \(content), and \(readable(contents.access, file.path))")
    }
    return contents
  }

  /// The file that is read holds secrets among other things.
  func refuseReadableSecrets(in contents: FileContents, at path: String, _ reading: Reading) {
    guard contents.access.isReadableByOthers, let secret = reading.writtenSecrets.min() else { return }
    reading.error(at: secret, "this file holds a secret, and \(readable(contents.access, path))")
  }

  /// The file that is read decides who may do what.
  func refuseWritable(_ contents: FileContents, at path: String, _ reading: Reading) {
    guard judgesWriting, contents.access.isWritableByOthers else { return }
    reading.error(at: SourcePosition(line: 1, column: 1), "\(writable(contents.access, path, "this file"))")
  }

  /// - Parameter mayBeMissing: whether it is made when it is not there.
  func refuseWritable(folder: FileReference, mayBeMissing: Bool = false, _ reading: Reading) {
    guard judgesWriting else { return }
    do throws(FileFault) {
      let access = try files.access(to: folder.path)
      guard access.isWritableByOthers else { return }
      reading.error(
        at: folder.position, "\(writable(access, folder.path, "the folder \(quoted(folder.path))"))")
    } catch {
      if mayBeMissing, error == .missing { return }
      reading.error(at: folder.position, "cannot read folder \(quoted(folder.path)): \(error.message)")
    }
  }

  func readable(_ access: FileAccess, _ path: String) -> String {
    let alternative = access.isOwned ? "" : ", or 640 with a group of this process's user"
    return "its mode \(access.mode) lets others than its owner read it; expected mode 600\(alternative):"
      + " chmod 600 \(quoted(path))"
  }

  private func writable(_ access: FileAccess, _ path: String, _ what: String) -> String {
    "others than its owner may write \(what) (mode \(access.mode)); expected none to: chmod go-w \(quoted(path))"
  }
}

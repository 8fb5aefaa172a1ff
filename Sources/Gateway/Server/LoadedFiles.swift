package import Configuration
internal import OpenSSLCrypto

/// What a load has read: enough to know later whether it would read the same again. What was in the files is not kept.
package struct LoadedFiles: Sendable, Equatable {
  /// By path; `nil`: it could not be read.
  fileprivate(set) var files: [String: Fingerprint?] = [:]
  /// The documents in each folder, by its path; `nil`: it could not be read.
  fileprivate(set) var folders: [String: [String]?] = [:]

  package init() {}

  struct Fingerprint: Sendable, Equatable {
    let digest: SHA256Digest
    /// A file that is refused for its mode is another once that is changed.
    let permissions: UInt16
  }

  /// Whether a load would find something else.
  func differ(from source: any FileSource) -> Bool {
    files.contains { Self.fingerprint($0.key, source) != $0.value }
      || folders.contains { Self.documents($0.key, source) != $0.value }
  }

  fileprivate static func fingerprint(_ path: String, _ source: any FileSource) -> Fingerprint? {
    (try? source.read(path)).map(Fingerprint.init)
  }

  fileprivate static func documents(_ folder: String, _ source: any FileSource) -> [String]? {
    (try? source.names(in: folder))?.filter { $0.hasSuffix(".json") }.sorted()
  }
}

extension LoadedFiles.Fingerprint {
  fileprivate init(_ contents: FileContents) {
    self.init(
      digest: SHA256.digest(contents.bytes), permissions: contents.access.permissions)
  }
}

/// Passes everything on, and remembers what was asked for. For one load.
package final class RecordingFiles: FileSource {
  private let source: any FileSource
  private(set) package var record = LoadedFiles()

  package init(_ source: any FileSource) { self.source = source }

  package func read(_ path: String) throws(FileFault) -> FileContents {
    record.files.updateValue(nil, forKey: path)
    let contents = try source.read(path)
    record.files[path] = LoadedFiles.Fingerprint(contents)
    return contents
  }

  package func names(in directory: String) throws(FileFault) -> [String] {
    record.folders.updateValue(LoadedFiles.documents(directory, source), forKey: directory)
    return try source.names(in: directory)
  }

  package func access(to directory: String) throws(FileFault) -> FileAccess {
    try source.access(to: directory)
  }

  package func identity(of directory: String) throws(FileFault) -> String {
    try source.identity(of: directory)
  }
}

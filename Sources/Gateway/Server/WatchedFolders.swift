internal import Glibc

/// Where changes of files show: in the folder of each, and in that of each symbolic link on the way. Kubernetes changes a
/// ConfigMap by renaming a link, `..data`, over which all its files are reached, and touches none of them.
struct WatchedFolders: Equatable {
  /// The names that count in each folder; none: all.
  private(set) var names: [String: Set<String>] = [:]

  /// - Parameter folders: all of whose entries count.
  init(files: some Sequence<String>, folders: some Sequence<String>) {
    for file in files { _ = follow(file) }
    for folder in folders {
      let end = follow(folder)
      names[end] = []
    }
  }

  /// As many as the kernel follows.
  private static let mostLinks = 40

  /// Enters each link on the way, and what it leads to in the end.
  /// - Returns: the path without links.
  private mutating func follow(_ path: String) -> String {
    var done = path.hasPrefix("/") ? "" : "."
    var left = Self.components(path).reversed() as [Substring]
    var links = 0
    while let name = left.popLast() {
      if name == "." { continue }
      let folder = done.isEmpty ? "/" : done
      let next = "\(done)/\(name)"
      if links < Self.mostLinks, let target = Self.target(of: next) {
        links += 1
        enter(String(name), in: folder)
        if target.hasPrefix("/") { done = "" }
        left += Self.components(target).reversed()
        continue
      }
      if left.isEmpty { enter(String(name), in: folder) }
      done = next
    }
    return done.isEmpty ? "/" : done
  }

  private mutating func enter(_ name: String, in folder: String) {
    // None is all already.
    if let known = names[folder], known.isEmpty { return }
    names[folder, default: []].insert(name)
  }

  private static func components(_ path: String) -> [Substring] { path.split(separator: "/") }

  /// Where a link leads; `nil`: it is none.
  private static func target(of path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

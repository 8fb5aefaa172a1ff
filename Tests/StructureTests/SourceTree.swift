import Foundation

/// What kind of room a target is: docs/architecture.md draws them, and arrows only point to the same or a lower one.
enum Kind: Int, Comparable {
  case cLibrary, base, wrapper, core, edge, executable, tests

  static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
}

/// A regular expression over whole files. Foundation's is compiled code also in a debug build, where the standard
/// library's takes a minute for these sources.
struct Finder {
  private let expression: NSRegularExpression

  init(_ pattern: String) throws {
    expression = try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
  }

  /// The last group that took part in each match, or the whole match, and the line where it begins.
  func findings(in text: NSString) -> [(line: Int, text: String)] {
    expression.matches(in: text as String, range: NSRange(location: 0, length: text.length)).map { match in
      let groups = (0..<match.numberOfRanges).map(match.range(at:))
      let range = groups.last { $0.location != NSNotFound } ?? match.range
      let before = text.substring(to: range.location)
      return (before.utf8.count { $0 == UInt8(ascii: "\n") } + 1, text.substring(with: range))
    }
  }

  func replacing(in text: NSString, with template: String) -> NSString {
    let range = NSRange(location: 0, length: text.length)
    return expression.stringByReplacingMatches(in: text as String, range: range, withTemplate: template)
      as NSString
  }
}

struct SourceFile {
  let path: String
  let target: String
  let text: NSString
  let lines: [Substring]
  /// The text without comments and the contents of string literals, line by line as before.
  let code: NSString

  init(path: String, target: String, text: String) throws {
    self.path = path
    self.target = target
    self.text = text as NSString
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let literals = try Finder(#""(?:\\.|[^"\\\n])*""#)
    let comments = try Finder("//.*$")
    code = comments.replacing(in: literals.replacing(in: self.text, with: "\"\""), with: "")
  }
}

/// The targets as the manifest declares them, and their files.
struct SourceTree {
  /// Names of targets and of other packages' products that each target may use.
  var dependencies: [String: Set<String>] = [:]
  var cLibraries: Set<String> = []
  var files: [SourceFile] = []

  init() {}

  /// - Parameter root: the package's folder.
  init(readingFrom root: URL) throws {
    let manifest = try String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)
    try readTargets(of: manifest)
    let sources = root.appending(path: "Sources")
    for target in try FileManager.default.contentsOfDirectory(atPath: sources.path).sorted() {
      let folder = sources.appending(path: target)
      for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
      where path.hasSuffix(".swift") {
        let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
        files.append(try SourceFile(path: "Sources/\(target)/\(path)", target: target, text: text))
      }
    }
  }

  private mutating func readTargets(of manifest: String) throws {
    for match in manifest.matches(of: #/\.systemLibrary\(\s*name:\s*"(\w+)"/#) {
      cLibraries.insert(String(match.output.1))
    }
    let declaration =
      #/(?:\broom\(\s*|\.(?:executableTarget|target)\(\s*name:\s*)"(\w+)",\s*(?:uses|dependencies):\s*\[([^\]]*)\]/#
    for match in manifest.matches(of: declaration) {
      let listed = match.output.2
        .replacing(#/\.product\(\s*name:\s*("\w+"),[^)]*\)/#) { $0.output.1 }
        .matches(of: #/"(\w+)"/#)
      dependencies[String(match.output.1)] = Set(listed.map { String($0.output.1) })
    }
  }
}

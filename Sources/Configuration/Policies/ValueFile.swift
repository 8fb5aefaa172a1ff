internal import Patterns
internal import Primitives
internal import StrictJSON

/// A file of values, one a line, that a policy names, made ready to be asked: a `LiteralSet` for `valuesFrom`, of which a
/// value is one, `LiteralOccurrences` for `forbiddenFrom`, none of which stands in a value. All policies share it.
package final class ValueFile<Texts: Sendable>: Sendable {
  /// As messages name it: its last component.
  package let name: String
  package let texts: Texts

  init(name: String, _ texts: Texts) {
    self.name = name
    self.texts = texts
  }
}

/// What `valuesFrom` and `forbiddenFrom` read, each file once for a load.
struct ValueFileReader {
  /// Far beyond what an organisation lists, and little enough to be read at every reload.
  static let mostLines = 1_000_000

  private final class Lines {
    private let name: String
    private let bytes: [UInt8]
    private let places: [ByteSlice]

    init(of name: String, _ bytes: [UInt8], _ places: [ByteSlice]) {
      self.name = name
      self.bytes = bytes
      self.places = places
    }

    lazy var whole = ValueFile(name: name, LiteralSet(bytes, places))
    lazy var anywhere = ValueFile(name: name, LiteralOccurrences(bytes, places))
  }

  private let loader: ConfigurationLoader
  private var known: [String: Lines?] = [:]

  init(_ loader: ConfigurationLoader) { self.loader = loader }

  /// Reads what the rules of a policy name, and puts it into them.
  mutating func fill(_ document: inout PolicyDocument, _ revision: inout Revision, _ reading: Reading) {
    for index in document.tags?.required.indices ?? 0..<0 {
      guard let file = document.tags?.required[index].valuesFrom else { continue }
      document.tags?.required[index].listed = lines(of: file, &revision, reading)?.whole
    }
    if let file = document.appInstanceUserId?.forbidden.linesFrom {
      document.appInstanceUserId?.forbidden.lines = lines(of: file, &revision, reading)?.anywhere
    }
    if let file = document.userName?.forbidden.linesFrom {
      document.userName?.forbidden.lines = lines(of: file, &revision, reading)?.anywhere
    }
    if let file = document.metadata?.forbidden.linesFrom {
      document.metadata?.forbidden.lines = lines(of: file, &revision, reading)?.anywhere
    }
  }

  private mutating func lines(
    of file: FileReference, _ revision: inout Revision, _ reading: Reading
  ) -> Lines? {
    if let known = known[file.path] { return known }
    let lines = read(file, &revision, reading)
    known[file.path] = .some(lines)
    return lines
  }

  private func read(_ file: FileReference, _ revision: inout Revision, _ reading: Reading) -> Lines? {
    guard let contents = loader.read(file, reading) else { return nil }
    let own = Reading(file: file.path, directory: "", environment: nil)
    loader.refuseWritable(contents, at: file.path, own)
    revision.add(file.path, contents.bytes)
    let lines = Self.lines(of: contents.bytes, named: file.name, own)
    for problem in own.sortedProblems { reading.add(problem) }
    return lines
  }

  private static func lines(of bytes: [UInt8], named name: String, _ reading: Reading) -> Lines? {
    guard bytes.span.isUTF8, !bytes.contains(0) else {
      reading.error(at: SourcePosition(line: 1, column: 1), "expected lines of UTF-8 text without NUL")
      return nil
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var places: [ByteSlice] = []
    var hasAdvised = false
    var start = bytes.starts(with: mark) ? mark.count : 0
    var number = 0
    while start < bytes.count {
      number += 1
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let last = end > start && bytes[end - 1] == UInt8(ascii: "\r") ? end - 1 : end
      let line = bytes[start..<last]
      let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
      if line.first != UInt8(ascii: "#"), !line.allSatisfy(isSpace) {
        places.append(ByteSlice(start..<last))
        if !hasAdvised, line.first.map(isSpace) == true || line.last.map(isSpace) == true {
          hasAdvised = true
          reading.warning(
            at: SourcePosition(line: number, column: 1),
            "the line begins or ends with white space, which belongs to the value")
        }
      }
      start = end + 1
    }
    if places.count > mostLines {
      reading.error(
        at: SourcePosition(line: 1, column: 1), "expected at most \(mostLines) values, found \(places.count)")
      return nil
    }
    if places.isEmpty {
      reading.warning(at: SourcePosition(line: 1, column: 1), "no value stands in the file")
    }
    return Lines(of: name, bytes, places)
  }
}

extension FileReference {
  fileprivate var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

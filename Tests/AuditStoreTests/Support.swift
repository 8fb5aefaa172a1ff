import Glibc
import Primitives
import Testing

/// A folder of its own that goes with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/gatehouse-audit-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) }) + "/audit"
  }

  deinit {
    let parent = String(path.dropLast("/audit".count))
    for folder in [path, parent] {
      for name in names(in: folder) { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
  }
}

func names(in folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// A record's body as the journal takes it.
func record(_ kind: String, _ id: String, padding: Int = 0) -> [UInt8] {
  Array(
    ("\"record\":\"\(kind)\",\"requestId\":\"\(id)\",\"time\":\"2026-11-23T13:00:00Z\","
      + "\"padding\":\"\(String(repeating: "x", count: padding))\"}").utf8)
}

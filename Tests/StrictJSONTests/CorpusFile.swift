import Foundation
import Primitives
import StrictJSON
import Testing

/// The JSONTestSuite-like corpus: `y_` must be accepted, `n_` refused; RFC 8259 leaves `i_` open, and
/// `i_accept_`/`i_refuse_` says what we do.
struct CorpusFile: CustomTestStringConvertible {
  let name: String
  let bytes: [UInt8]

  var isValid: Bool { name.hasPrefix("y_") || name.hasPrefix("i_accept_") }
  var testDescription: String { name }

  static let all: [CorpusFile] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/json")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter { $0.hasSuffix(".json") }.compactMap { name in
      (try? Data(contentsOf: folder.appending(path: name))).map { CorpusFile(name: name, bytes: Array($0)) }
    }
  }()
}

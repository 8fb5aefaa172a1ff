import Foundation
import FuzzTargets
import Testing

/// The inputs that fuzzing begins with, and those that once found something, checked without the fuzzer: whole, and cut
/// short at each place.
@Suite struct CorpusTests {
  static let corpora = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../Fuzz/Corpora")

  static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    let folder = corpora.appending(path: target.rawValue)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      (name, Array(try Data(contentsOf: folder.appending(path: name))))
    }
  }

  @Test(arguments: FuzzTarget.allCases)
  func nothingOfTheCorpusFindsAnything(_ target: FuzzTarget) throws {
    let inputs = try Self.inputs(of: target)
    #expect(inputs.count >= 3)
    for (name, bytes) in inputs {
      #expect(throws: Never.self, "\(name)") { try target.check(bytes) }
      for end in stride(from: 0, to: min(bytes.count, 600), by: 7) {
        #expect(throws: Never.self, "\(name), \(end) bytes") { try target.check(Array(bytes[..<end])) }
      }
    }
  }

  @Test func everyCorpusHasItsTarget() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpora.path)
    #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
  }

  @Test func aProgramsNameIsItsTargets() {
    #expect(FuzzTarget(program: "/somewhere/json") == .json)
    #expect(FuzzTarget(program: "Fuzzer") == nil)
  }
}

import Foundation
import Testing

@testable import ChimeIdentity
import HTTPWire
import Primitives
import StrictJSON

/// What Tests/Fixtures/chime/generate.py wrote with botocore and Python's `re`.
enum Fixtures {
  struct Call: Decodable {
    let operation: String
    let status: Int
    let method: String
    let path: String
    let query: String
    let body: String
    let pathMembers: [String: String]
    let queryMembers: [String: String]
  }

  struct Input: Decodable {
    let operation: String
    let body: String
    /// The path of the first member that breaks the model; `nil` when none does.
    let violation: String?
  }

  struct Pattern: Decodable {
    let pattern: String?
    /// Indices into `values`.
    let matching: [Int]?
    let values: [String]?
  }

  static func rows<Row: Decodable>(_ name: String, of: Row.Type = Row.self) throws -> [Row] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Fixtures/chime/\(name)"))
    return try JSONDecoder().decode([Row].self, from: data)
  }
}

enum Sample {
  static let app = "arn:aws:chime:us-east-1:123456789012:app-instance/0f4bd6bf-4c3a-4f0e-9d3a-5f1c2f6f3b11"
  static let user = app + "/user/crm-alice"
  static let encodedUser = encoded(user)

  static func encoded(_ value: String) -> String {
    var out: [UInt8] = []
    PercentCoding.encode(value.utf8, into: &out)
    return String(decoding: out, as: UTF8.self)
  }
}

func identify(
  _ method: String, _ target: String
) throws(IdentificationFailure) -> IdentifiedCall {
  let bytes = ArraySlice(target.utf8)
  let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
  return try ChimeIdentity.Operation.identify(
    method: ArraySlice(method.utf8), path: bytes[..<(mark ?? bytes.endIndex)],
    query: mark.map { bytes[($0 + 1)...] })
}

/// What validation says of a body: the violation's member and message, or `nil`.
func violation(
  _ method: String, _ target: String, _ body: String = ""
) throws -> ModelViolation? {
  let call = try identify(method, target)
  let document = try body.isEmpty ? nil : JSONDocument(parsing: Array(body.utf8))
  do {
    try ModelValidator.validate(call, document: document)
    return nil
  } catch { return error }
}

/// The members that confine a call, in the order in which they are shown.
func confinementSubjects(
  of call: IdentifiedCall, document: JSONDocument?
) throws(ModelViolation) -> [(member: String, arn: ChimeARN?)] {
  var subjects: [(member: String, arn: ChimeARN?)] = []
  try ModelValidator.visitConfinementSubjects(of: call, document: document) { member, value, parts in
    subjects.append((member.description, parts == nil ? nil : ChimeARN(value.uncheckedText)))
  }
  return subjects
}

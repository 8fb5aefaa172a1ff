internal import OpenSSLCrypto
internal import Primitives
internal import StrictJSON

extension ConfigurationLoader {
  /// Every `*.json` of a folder that is a policy, in the order of the files' names.
  func readPolicies(
    in reference: FileReference, namedIn config: String, problems: inout [Problem]
  ) -> PolicyFiles? {
    let naming = Reading(file: config, directory: "", environment: nil)
    guard let names = self.names(in: reference, naming) else {
      problems += naming.problems
      return nil
    }
    refuseWritable(folder: reference, naming)
    let files = names.filter { isPolicyFile($0) }.sorted { Text($0) < Text($1) }
    if files.isEmpty {
      naming.warning(
        at: reference.position, "no policies in \(quoted(reference.path)): nothing is denied by policy")
    }
    problems += naming.problems
    var documents: [PolicyDocument] = []
    var exceptions: [ExceptionDocument] = []
    var tagPolicies = TagPolicyInheritance()
    var revision = Revision()
    var values = ValueFileReader(self)
    let form = PolicyDocument.form(knownOperations: knownOperations)
    for name in files {
      let path = join(reference.path, name)
      let reading = Reading(file: path, directory: reference.path, environment: nil)
      if name.hasSuffix(Self.tagPolicyEnding) {
        if let level = readFile(named: name, at: path, TagPolicyLevel.form, &revision, reading) {
          tagPolicies.add(level, reading)
        }
      } else if name.hasSuffix(Self.exceptionEnding) {
        let form = ExceptionDocument.form(knownOperations: knownOperations)
        if var exception = readFile(named: name, at: path, form, &revision, reading) {
          exception.file = path
          refuseRepeat(of: exception, in: exceptions, reading)
          exceptions.append(exception)
        }
      } else if var document = readFile(named: name, at: path, form, &revision, reading) {
        document.file = path
        values.fill(&document, &revision, reading)
        refuseRepeat(of: document, in: documents, reading)
        documents.append(document)
      }
      problems += reading.sortedProblems
    }
    documents += tagPolicies.documents
    exceptions.sort { $0.name.value < $1.name.value }
    return PolicyFiles(documents: documents, exceptions: exceptions, revision: revision.text)
  }

  private func readFile<Value>(
    named name: String, at path: String, _ form: Form<Value>, _ revision: inout Revision, _ reading: Reading
  ) -> Value? {
    guard let contents = read(path, reading) else { return nil }
    refuseWritable(contents, at: path, reading)
    revision.add(name, contents.bytes)
    return parse(contents.bytes, as: form, reading)
  }

  /// AWS Organizations tag policies.
  private static let tagPolicyEnding = ".tag-policy.json"
  private static let exceptionEnding = ".exception.json"

  /// Policy tests lie beside the policies; hidden files are what editors leave.
  func isPolicyFile(_ name: String) -> Bool {
    name.hasSuffix(".json") && !name.hasSuffix(".test.json") && !name.hasPrefix(".")
  }

  private func refuseRepeat(
    of exception: ExceptionDocument, in earlier: [ExceptionDocument], _ reading: Reading
  ) {
    guard let other = earlier.first(where: { $0.name.value == exception.name.value }) else { return }
    reading.error(
      at: exception.name.position,
      "the exception in \(quoted(other.file)) has the name \(quoted(exception.name.value.string)) too")
  }

  private func refuseRepeat(of document: PolicyDocument, in earlier: [PolicyDocument], _ reading: Reading) {
    guard let other = earlier.first(where: { $0.name.value == document.name.value }) else { return }
    reading.error(
      at: document.name.position,
      "the policy in \(quoted(other.file)) has the name \(quoted(document.name.value.string)) too")
  }
}

/// What identifies a set of policy files: each name and content with its length, so that no two sets run together.
struct Revision {
  private var bytes: [UInt8] = []

  mutating func add(_ name: String, _ contents: [UInt8]) {
    bytes.append(decimal: name.utf8.count)
    bytes.append(":")
    bytes.append(string: name)
    bytes.append(decimal: contents.count)
    bytes.append(":")
    bytes += contents
  }

  var text: String { "sha256:" + SHA256.digest(bytes).hex }
}

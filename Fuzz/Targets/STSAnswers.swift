internal import CredentialSources
internal import OpenSSLCrypto
internal import Primitives
internal import SigV4
internal import XML

/// An answer of STS: as a document, and as what it says.
func checkSTSAnswer(_ bytes: [UInt8]) throws(Disagreement) {
  try checkDocument(bytes)
  for status in [200, 403] {
    switch read(bytes, status) {
    case .success(let credentials):
      try expect(status == 200, "credentials came with a refusal")
      try checkVisible(credentials)
    case .failure(let failure): try checkFailure("\(failure)", token: "a.sent.token")
    }
  }
}

private func read(_ bytes: [UInt8], _ status: Int) -> Result<Credentials, CredentialFailure> {
  Result { () throws(CredentialFailure) in
    try STSCall.credentials(in: bytes, status: status, sentToken: "a.sent.token")
  }
}

private func checkDocument(_ bytes: [UInt8]) throws(Disagreement) {
  guard let element = try? XMLElement.parse(bytes) else { return }
  try expect(element.depth <= 32, "\(element.depth) elements in one another")
  let trailing = try? XMLElement.parse(bytes + Array("<more/>".utf8))
  try expect(trailing == nil, "a second element was read behind the document")
  // What stands behind a prefix may have a colon, which would be a prefix in what is written here.
  guard element.isPlain else { return }
  var written: [UInt8] = []
  element.write(into: &written)
  let again = try? XMLElement.parse(written)
  try expect(again == element, "\(shown(bytes)) is \(shown(written)), which is \(again as Any)")
}

extension XMLElement {
  fileprivate var depth: Int { 1 + (children.map(\.depth).max() ?? 0) }
  fileprivate var isPlain: Bool { !name.contains(":") && children.allSatisfy(\.isPlain) }

  /// Its text first, since where between the children it stood is not kept.
  fileprivate func write(into out: inout [UInt8]) {
    out += Array("<\(name)>".utf8)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "\r"):
        out += Array("&#\(byte);".utf8)
      default: out.append(byte)
      }
    }
    for child in children { child.write(into: &out) }
    out += Array("</\(name)>".utf8)
  }
}

/// What goes into headers must not end them.
func checkVisible(_ credentials: Credentials) throws(Disagreement) {
  let id = credentials.accessKeyId.utf8
  try expect(!id.isEmpty && id.allSatisfy { (0x21...0x7E).contains($0) }, "the access key is \(shown(id))")
  guard let token = credentials.sessionToken else { return }
  let isVisible = token.withBytes { bytes in !bytes.isEmpty && bytes.allSatisfy { (0x21...0x7E).contains($0) }
  }
  try expect(isVisible, "the session token has what no header can have")
}

/// What operators are told: one line, and not what was secret.
func checkFailure(_ text: String, token: String? = nil) throws(Disagreement) {
  try expect(
    text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "\(text) is no line of text")
  if let token { try expect(!text.contains(token), "\(text) quotes the token") }
}

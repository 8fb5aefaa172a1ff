internal import CredentialSources
internal import OpenSSLCrypto
internal import Primitives
internal import SigV4
internal import StrictJSON

/// What a program prints or an endpoint answers; as each of them, since they differ in names alone.
func checkCredentialAnswer(_ bytes: [UInt8]) throws(Disagreement) {
  let document = try? JSONDocument(parsing: bytes)
  for form in [CredentialAnswer.Form.process, .container, .instance] {
    switch read(bytes, form) {
    case .success(let credentials):
      try checkVisible(credentials)
      guard let document else {
        throw Disagreement(description: "\(shown(bytes)) is no JSON, and gave credentials")
      }
      try compare(credentials, with: document, as: form)
    case .failure(let failure):
      try checkFailure("\(failure)", token: document.flatMap { secret(in: $0) })
    }
  }
}

private func read(
  _ bytes: [UInt8], _ form: CredentialAnswer.Form
) -> Result<Credentials, CredentialFailure> {
  Result { () throws(CredentialFailure) in try CredentialAnswer.parse(bytes, as: form) }
}

/// jansson read the values; here it is the reader of requests' bodies.
private func compare(
  _ credentials: Credentials, with document: JSONDocument, as form: CredentialAnswer.Form
) throws(Disagreement) {
  func text(_ name: Text) -> Text? {
    document.member(name, of: document.root).flatMap { document.text($0) }
  }
  let isProcess = if case .process = form { true } else { false }
  let token = text(isProcess ? "SessionToken" : "Token")
  try expect(text("AccessKeyId") == credentials.accessKeyId, "another access key than the document's")
  let hasSecret = Secret.constantTimeEqual(credentials.secret, text("SecretAccessKey")?.utf8 ?? [])
  try expect(hasSecret, "another secret than the document's")
  let given = token.flatMap { $0.utf8.isEmpty ? nil : $0.utf8 }
  switch (credentials.sessionToken, given) {
  case (nil, nil): break
  case (let read?, let given?):
    try expect(Secret.constantTimeEqual(read, given), "another session token than the document's")
  default: throw Disagreement(description: "a session token is on one side only")
  }
  if let end = credentials.expiration {
    let written = text("Expiration").flatMap { WallClockTime(rfc3339: $0.string) }
    try expect(end == written, "another end than the document's")
  }
}

/// The secret, where it is none of the words that messages have.
private func secret(in document: JSONDocument) -> String? {
  let node = document.member("SecretAccessKey", of: document.root)
  guard let text = node.flatMap({ document.text($0) })?.string, text.utf8.count >= 12,
    !text.contains("`"), text != code(in: document)
  else { return nil }
  return text
}

private func code(in document: JSONDocument) -> String? {
  for name: Text in ["Code", "code"] {
    if let text = document.member(name, of: document.root).flatMap({ document.text($0) }) {
      return text.string
    }
  }
  return nil
}

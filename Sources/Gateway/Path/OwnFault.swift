internal import ChimeIdentity
internal import HTTPWire
internal import Primitives
internal import StrictJSON

/// What upstream says against the gateway itself: its credentials, its signature, its role. None of it is the caller's
/// doing, and the words may name the role or quote the session's token.
struct OwnFault {
  enum Kind {
    /// Fresh credentials may do.
    case expired
    case refused
    /// The role may not do this.
    case denied
  }

  let kind: Kind
  /// Of the error, without what the protocol puts around it.
  let type: String
  /// Upstream's, where it can be shown to operators.
  let message: String?
}

extension UpstreamAnswer {
  /// `nil`: the answer is for the caller. Only refusals are looked at closely.
  var ownFault: OwnFault? {
    let status = status
    guard status >= 400, status < 500 else { return nil }
    return findOwnFault()
  }

  @inline(never)
  private func findOwnFault() -> OwnFault? {
    let head = message.head
    let document = try? JSONDocument(parsing: head.bytes, in: message.body.range)
    func text(_ names: [String]) -> String? {
      guard let document else { return nil }
      for name in names {
        if let node = document.member(Text(name), of: document.root), let place = document.plainString(node) {
          return String(decoding: head.bytes[place], as: UTF8.self)
        }
      }
      return nil
    }
    let code = text(["Code", "code"])
    let written =
      head.first(.amznErrorType).map { String(decoding: head.bytes[$0.range], as: UTF8.self) } ?? text([
        "__type"
      ])
      ?? code ?? ""
    let type = Self.name(written)
    let kind = Self.kind(of: type) ?? (type == "Forbidden" && code == "AccessDenied" ? .denied : nil)
    guard let kind else { return nil }
    return OwnFault(
      kind: kind, type: Self.shown(type),
      message: kind == .denied ? text(["Message", "message"]).map(Self.shown) : nil)
  }

  private static func kind(of type: String) -> OwnFault.Kind? {
    switch type {
    case "ExpiredToken": .expired
    case "InvalidSignature", "SignatureDoesNotMatch", "UnrecognizedClient", "InvalidClientTokenId",
      "IncompleteSignature", "MissingAuthenticationToken":
      .refused
    case "AccessDenied": .denied
    default: nil
    }
  }

  /// `aws.protocoltests#ExpiredTokenException:http://…` is an `ExpiredToken`.
  private static func name(_ written: String) -> String {
    let first = written.split(separator: ":", omittingEmptySubsequences: false).first ?? ""
    let last = first.split(separator: "#", omittingEmptySubsequences: false).last ?? ""
    let trimmed = last.filter { $0 != " " }
    let suffix = "Exception"
    return trimmed.hasSuffix(suffix) ? String(trimmed.dropLast(suffix.count)) : String(trimmed)
  }

  private static func shown(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.prefix(500).filter { $0.value >= 0x20 && $0.value != 0x7F }))
  }
}

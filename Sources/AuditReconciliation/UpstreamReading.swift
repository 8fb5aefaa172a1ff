package import HTTPWire
package import Primitives
package import StrictJSON

/// What upstream can be asked about its users. None of the questions changes anything there.
package protocol UpstreamReading {
  /// DescribeAppInstanceUser
  func describeUser(_ arn: Text) async throws(UpstreamUnavailable) -> ReadAnswer
  /// One page of ListAppInstanceUsers.
  func listUsers(of appInstance: Text, after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer
  /// ListTagsForResource
  func listTags(of resource: Text) async throws(UpstreamUnavailable) -> ReadAnswer
}

/// Upstream did not answer, or asked to be left alone for a while.
package struct UpstreamUnavailable: Error {
  package let reason: String

  package init(reason: String) { self.reason = reason }
}

/// What upstream answered to a read.
package enum ReadAnswer {
  case found(JSONDocument)
  /// NotFoundException: there is no such resource.
  case notFound
  /// It will not say; the status and the type of the error.
  case refused(String)

  /// `nil` when another try may get a better one.
  package init?(_ message: ResponseMessage) {
    switch message.head.status {
    case 200..<300:
      guard let document = try? JSONDocument(parsing: message.bodyArray) else { return nil }
      self = .found(document)
    case 429, 500...: return nil
    // A proxy's 404 says nothing about a user.
    case 404 where Self.errorType(message)?.hasPrefix("NotFound") == true: self = .notFound
    default: self = .refused(Self.description(of: message))
    }
  }

  /// The status and the type of an error, for people.
  package static func description(of message: ResponseMessage) -> String {
    "\(message.head.status)\(errorType(message).map { " \($0)" } ?? "")"
  }

  /// As SDKs find it: in the field, and else in the body.
  private static func errorType(_ message: ResponseMessage) -> String? {
    let head = message.head
    if let field = head.first(named: "x-amzn-errortype") {
      return String(decoding: head.bytes[field], as: UTF8.self).onOneLine
    }
    guard let document = try? JSONDocument(parsing: message.bodyArray) else { return nil }
    for key: Text in ["__type", "Code", "code"] {
      if let type = document.member(key, of: document.root).flatMap({ document.text($0) }) {
        return type.onOneLine
      }
    }
    return nil
  }
}

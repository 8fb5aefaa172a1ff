internal import ChimeIdentity
package import Primitives
package import StrictJSON

/// A call of the identity API that AWS CloudTrail recorded.
/// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html)
package struct CloudTrailEvent: Sendable, Hashable {
  package let time: WallClockTime
  /// The operation.
  package let name: Text
  package let eventID: Text?
  /// What the service called the request, as in `x-amzn-RequestId`.
  package let requestID: Text?
  /// Who called.
  package let identity: Text?
  package let sourceAddress: Text?
  package let userAgent: Text?
  /// Why it was refused; `nil`: it was not.
  package let errorCode: Text?
  /// The user that it was about, where the record names one.
  package let userArn: Text?

  /// `nil` for a record of another service or API, or one that is none.
  package init?(_ document: JSONDocument, _ node: JSONNode) {
    func text(_ names: String...) -> Text? {
      var place: JSONNode? = node
      for name in names { place = place.flatMap { document.member(Text(name), of: $0) } }
      return place.flatMap { document.text($0) }
    }
    guard let source = text("eventSource"), source.string.hasSuffix("chime.amazonaws.com"),
      let name = text("eventName"), Operation.allNames.contains(name.string),
      let time = text("eventTime").flatMap({ WallClockTime(rfc3339: $0.string) })
    else { return nil }
    self.time = time
    self.name = name
    eventID = text("eventID")
    requestID = text("requestID")
    identity = text("userIdentity", "arn") ?? text("userIdentity", "principalId")
    sourceAddress = text("sourceIPAddress")
    userAgent = text("userAgent")
    errorCode = text("errorCode")
    let created = text("responseElements", "appInstanceUserArn")
    let named = text("requestParameters", "appInstanceUserArn") ?? text("requestParameters", "resourceARN")
    let parts = (text("requestParameters", "appInstanceArn"), text("requestParameters", "appInstanceUserId"))
    if let created = created ?? named {
      userArn = created
    } else if let instance = parts.0, let id = parts.1 {
      userArn = Text("\(instance)/user/\(id)")
    } else {
      userArn = nil
    }
  }

  /// The records of one of CloudTrail's log files; `nil`: it is none.
  package static func events(in file: [UInt8]) -> [CloudTrailEvent]? {
    guard let document = try? JSONDocument(parsing: file),
      let records = document.member("Records", of: document.root)
    else { return nil }
    return document.elements(records).compactMap { CloudTrailEvent(document, $0) }
  }
}

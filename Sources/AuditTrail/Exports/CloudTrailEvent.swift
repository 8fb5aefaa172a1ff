internal import Primitives
internal import StrictJSON

extension RequestHistory {
  /// The request as a CloudTrail record (AWS CloudTrail User Guide, "CloudTrail record contents").
  ///
  /// Whoever called is a tenant of the gateway and no identity of the account, so `userIdentity.type` is `Unknown`.
  /// `requestID` is upstream's where it answered, which is what the account's own trail has; `eventID` is ours.
  package func cloudTrailEvent(at place: ExportPlace) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.text("eventVersion", "1.11")
    writer.key("userIdentity")
    writeIdentity(to: &writer, place)
    writer.text("eventTime", time.wholeSeconds)
    writer.text("eventSource", "chime.amazonaws.com")
    writer.text("eventName", text("operation") ?? "UnknownOperation")
    writer.text("awsRegion", place.region)
    writer.text("sourceIPAddress", text("sourceIp") ?? "unknown")
    writer.text("userAgent", text("userAgent") ?? "")
    if isSuccess != true {
      writer.text("errorCode", text("errorType"))
      writer.text("errorMessage", failureMessage)
    }
    writer.key("requestParameters")
    writer.requestMembers(of: self)
    writer.key("responseElements")
    if text("operation") == "CreateAppInstanceUser", isSuccess == true, let arn = text("appInstanceUserArn") {
      writer.beginObject()
      writer.text("appInstanceUserArn", arn)
      writer.endObject()
    } else {
      writer.null()
    }
    writer.key("additionalEventData")
    writer.ownMembers(of: self)
    writer.text("requestID", text("upstreamRequestId") ?? requestId)
    writer.text("eventID", requestId)
    writer.key("readOnly")
    writer.boolean(activity == .read)
    writeResources(to: &writer, place)
    writer.text("eventType", "AwsApiCall")
    writer.key("managementEvent")
    writer.boolean(true)
    writer.text("recipientAccountId", place.account)
    writer.text("eventCategory", "Management")
    writer.endObject()
    return TerminalSafety.safe(writer.bytes, as: .json)
  }

  private func writeIdentity(to writer: inout JSONWriter, _ place: ExportPlace) {
    writer.beginObject()
    writer.text("type", "Unknown")
    writer.text("principalId", text("tenant"))
    writer.text("accountId", place.account)
    writer.text("accessKeyId", text("accessKeyId"))
    writer.text("userName", text("tenant"))
    writer.endObject()
  }

  private func writeResources(to writer: inout JSONWriter, _ place: ExportPlace) {
    guard let arn = resourceArns.first else { return }
    writer.key("resources")
    writer.beginArray()
    writer.beginObject()
    writer.text("accountId", ExportPlace(arn: arn)?.account)
    writer.text("ARN", arn)
    writer.endObject()
    writer.endArray()
  }
}

internal import Primitives
internal import StrictJSON

extension RequestHistory {
  /// The request as an event of the class API Activity (6003) of the Open Cybersecurity Schema Framework 1.5.0, with
  /// the profile `cloud`; see schema.ocsf.io/1.5.0/classes/api_activity. The tenant is both the application and the
  /// user, as it is the one that was authenticated; on whose behalf it says that it calls stands in `unmapped`.
  package func ocsfEvent(at place: ExportPlace, productVersion: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writeClassification(to: &writer)
    writer.key("metadata")
    writer.beginObject()
    writer.text("version", "1.5.0")
    writer.key("product")
    writer.beginObject()
    writer.text("name", "Gatehouse")
    writer.text("vendor_name", "Gatehouse")
    writer.text("version", Text(productVersion))
    writer.endObject()
    writer.key("profiles")
    writer.beginArray()
    writer.string("cloud" as Text)
    writer.endArray()
    writer.text("uid", requestId)
    writer.text("original_time", Text(time.rfc3339))
    writer.text("log_provider", "Gatehouse")
    writer.text("log_name", "audit")
    writer.text("tenant_uid", text("tenant"))
    writer.endObject()
    writeParties(to: &writer, place)
    writeCall(to: &writer)
    if let arn = resourceArns.first {
      writer.key("resources")
      writer.beginArray()
      writer.beginObject()
      writer.text("uid", arn)
      writer.endObject()
      writer.endArray()
    }
    writer.key("unmapped")
    writer.beginObject()
    writer.key("gatehouse")
    writer.ownMembers(of: self)
    writer.key("request")
    writer.requestMembers(of: self)
    writer.endObject()
    writer.endObject()
    return TerminalSafety.safe(writer.bytes, as: .json)
  }

  private func writeClassification(to writer: inout JSONWriter) {
    writer.number("activity_id", activity.rawValue)
    writer.text("activity_name", Text(activity.name))
    writer.number("category_uid", 6)
    writer.text("category_name", "Application Activity")
    writer.number("class_uid", 6003)
    writer.text("class_name", "API Activity")
    writer.number("type_uid", 6003 * 100 + activity.rawValue)
    writer.text("type_name", Text("API Activity: \(activity.name)"))
    let severity = severity
    writer.number("severity_id", severity.id)
    writer.text("severity", severity.name)
    let status: (id: Int, name: Text) =
      switch isSuccess {
      case true?: (1, "Success")
      case false?: (2, "Failure")
      case nil: (0, "Unknown")
      }
    writer.number("status_id", status.id)
    writer.text("status", status.name)
    writer.text("status_code", integer("status").map { Text("\($0)") })
    writer.text("status_detail", text("errorType"))
    writer.text("message", failureMessage)
    writer.number("time", Int(time.nanoseconds / 1_000_000))
  }

  /// A refusal for want of rights deserves a look; other failures rather not.
  private var severity: (id: Int, name: Text) {
    switch text("decision") {
    case "denied", "unauthenticated": (3, "Medium")
    case "allowed" where isSuccess != false: (1, "Informational")
    default: (2, "Low")
    }
  }

  private func writeParties(to writer: inout JSONWriter, _ place: ExportPlace) {
    writer.key("actor")
    writer.beginObject()
    writer.key("user")
    writer.beginObject()
    writer.text("name", text("tenant") ?? "unknown")
    writer.text("uid", text("tenant"))
    writer.text("credential_uid", text("accessKeyId"))
    writer.endObject()
    writer.text("app_name", text("tenant"))
    writer.endObject()
    writer.key("src_endpoint")
    writer.beginObject()
    if let address = text("sourceIp") { writer.text("ip", address) } else { writer.text("name", "unknown") }
    writer.endObject()
    writer.key("cloud")
    writer.beginObject()
    writer.text("provider", "AWS")
    writer.text("region", place.region)
    writer.key("account")
    writer.beginObject()
    writer.text("uid", place.account)
    writer.number("type_id", 10)
    writer.text("type", "AWS Account")
    writer.endObject()
    writer.endObject()
  }

  private static let ocsfMethods: Set<Text> = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE",
  ]

  private func writeCall(to writer: inout JSONWriter) {
    writer.key("api")
    writer.beginObject()
    writer.text("operation", text("operation") ?? "UnknownOperation")
    writer.key("service")
    writer.beginObject()
    writer.text("name", "chime.amazonaws.com")
    writer.endObject()
    writer.key("request")
    writer.beginObject()
    writer.text("uid", text("upstreamRequestId") ?? requestId)
    writer.endObject()
    if let status = integer("status") {
      writer.key("response")
      writer.beginObject()
      writer.number("code", status)
      if isSuccess != true {
        writer.text("error", text("errorType"))
        writer.text("error_message", failureMessage)
      }
      writer.endObject()
    }
    writer.endObject()
    writer.key("http_request")
    writer.beginObject()
    writer.text("uid", requestId)
    writer.text("user_agent", text("userAgent"))
    // The schema lists those that it knows; callers may send any.
    writer.text("http_method", text("method").flatMap { Self.ocsfMethods.contains($0) ? $0 : nil })
    writer.endObject()
    if let status = integer("status") {
      writer.key("http_response")
      writer.beginObject()
      writer.number("code", status)
      writer.endObject()
    }
  }
}

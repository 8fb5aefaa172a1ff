import AuditTrail
import Primitives
import StrictJSON
import TestSupport
import Testing

func requestID(_ number: UInt64) -> RequestID { RequestID(from: FixedEntropy(number << 32)) }

/// 2026-11-23T13:00:00.123Z and so many seconds later.
func time(_ seconds: Int64 = 0) -> WallClockTime {
  WallClockTime(nanoseconds: 1_795_438_800_123_000_000).advanced(byNanoseconds: seconds * 1_000_000_000)
}

/// The request of the contract's example.
func exampleRequest(_ number: UInt64 = 1, at seconds: Int64 = 0) -> AuditedRequest {
  var request = AuditedRequest(id: requestID(number), time: time(seconds), decision: .allowed)
  request.tenant = "crm"
  request.accessKeyId = "GHAKCRM00000000001"
  request.actor = "alice@corp"
  request.sourceIp = "127.0.0.1"
  request.userAgent = "Boto3/1.40"
  request.operation = "CreateAppInstanceUser"
  request.appInstanceArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one"
  request.appInstanceUserId = "crm-alice"
  request.name = "Alice"
  request.tags = [AuditedRequest.Tag(key: "CostCenter", value: "4711")]
  request.expirationDays = 30
  request.changes = [AuditedRequest.Change(field: "Tags.Owner", from: nil, to: "crm@example.com")]
  request.policyRevision = "sha256:00ff"
  return request
}

func exampleResult() -> AuditedResult {
  var result = AuditedResult(.created, status: 201, durationNanoseconds: 12_345_678)
  result.upstreamStatus = 201
  result.upstreamRequestId = "upstream-1"
  result.appInstanceUserArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice"
  return result
}

/// The body with its place in front, as a line of the journal.
func line(_ body: [UInt8], sequence: Int = 1) -> [UInt8] {
  Array("{\"sequence\":\(sequence),\"previous\":\"sha256:\",".utf8) + body
}

func record(_ body: [UInt8], sequence: Int = 1) throws -> JournalRecord {
  try #require(
    JournalRecord(line: line(body, sequence: sequence)), "\(String(decoding: body, as: UTF8.self))")
}

import AuditTrail
import Glibc
import Primitives

/// `JournalGenerator RECORDS [TENANTS [SEED]]`: prints one segment of a journal, whole and chained, made by the code
/// that writes journals. The same arguments give the same bytes.
@main
struct JournalGenerator {
  static func main() {
    let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
    guard (1...3).contains(numbers.count), numbers.allSatisfy({ $0 > 0 }) else {
      fail("usage: JournalGenerator RECORDS [TENANTS [SEED]]", status: 64)
    }
    let tenants = numbers.count > 1 ? numbers[1] : 20
    let seed = numbers.count > 2 ? numbers[2] : 1
    var requests = SampleRequests(tenants: tenants, seed: UInt64(seed))
    var lines = ChainedLines()
    var head = ChainHead.genesis
    while head.sequence < numbers[0] {
      for record in requests.next(after: head.sequence) where head.sequence < numbers[0] {
        lines.append(record, after: &head)
      }
      if lines.count > 1 << 20 { write(&lines) }
    }
    write(&lines)
  }

  private static func write(_ lines: inout ChainedLines) {
    lines.withBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        guard count > 0 else { fail("cannot write: \(String(cString: strerror(errno)))", status: 1) }
        rest = rest.dropFirst(count)
      }
    }
    lines.removeAll()
  }

  private static func fail(_ message: String, status: Int32) -> Never {
    let line = Array("JournalGenerator: \(message)\n".utf8)
    _ = Glibc.write(STDERR_FILENO, line, line.count)
    exit(status)
  }
}

/// Requests of many kinds, most of them creations that policy allows.
private struct SampleRequests {
  private let tenants: Int
  private var random: SampleNumbers
  private var number = 0

  init(tenants: Int, seed: UInt64) {
    self.tenants = tenants
    random = SampleNumbers(state: seed)
  }

  /// The records of the next request, the first of which gets the number after `last`.
  mutating func next(after last: Int) -> [[UInt8]] {
    number += 1
    var request = AuditedRequest(
      id: RequestID(from: random.entropy()),
      time: WallClockTime(seconds: 1_795_438_800 + Int64(number / 100)),
      decision: .allowed)
    let tenant = random.below(tenants)
    let user = "t\(tenant)-user-\(number)"
    request.tenant = Text("t\(tenant)")
    request.accessKeyId = Text("GHAK\(100_000_000 + tenant)")
    request.sourceIp = "10.1.2.3"
    request.userAgent =
      "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux lang/python#3.11.7 Botocore/1.43.11"
    request.appInstanceArn =
      "arn:aws:chime:us-east-1:123456789012:app-instance/0b7ad9a2-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
    request.appInstanceUserId = Text(user)
    request.policyRevision = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    switch random.below(10) {
    case 0:
      request.operation = "UpdateAppInstanceUser"
      request.name = "Alice Example"
      request.metadata = "{\"team\":\"blue\"}"
    case 1:
      request.operation = "TagResource"
      request.resourceArn = (request.appInstanceArn ?? "") + "/user/" + Text(user)
      request.tags = [.init(key: "CostCenter", value: random.below(4) == 0 ? "9999" : "4711")]
    default:
      request.operation = "CreateAppInstanceUser"
      request.name = Text("Alice Example \(number)")
      if random.below(5) == 0 { request.metadata = "{\"team\":\"blue\"}" }
      if random.below(3) > 0 { request.expirationDays = 1 + random.below(120) }
      request.tags = [
        .init(key: "CostCenter", value: random.below(10) == 0 ? "9999" : "4711"),
        .init(key: "Owner", value: Text("owner-\(random.below(100))@example.com")),
        .init(key: "Environment", value: "production"),
      ]
    }
    guard random.below(20) > 0 else { return [refused(request)] }
    var result = AuditedResult(.succeeded, status: 200, durationNanoseconds: 12_345_678)
    result.upstreamStatus = 200
    result.upstreamRequestId = "4b1e2c3d-0000-4000-8000-000000000000"
    result.attempts = 1
    return [
      request.intentRecord(under: Sensitivity()),
      result.outcomeRecord(
        of: request.id, intent: last + 1, at: request.time.advanced(byNanoseconds: 12_345_678)),
    ]
  }

  private func refused(_ request: AuditedRequest) -> [UInt8] {
    var request = request
    request.decision = .denied
    request.violations = [
      .init(
        policy: "org-baseline", rule: "tags.value", field: "Tags.CostCenter",
        message: "the value is not one of those listed; accepted: a value that matches one of `4711`, `48*`")
    ]
    return request.outcomeRecord(
      AuditedResult(.notForwarded, status: 403, durationNanoseconds: 345_678), under: Sensitivity())
  }
}

/// SplitMix64: the same numbers in every run.
private struct SampleNumbers {
  var state: UInt64

  /// Two of the numbers, as an id wants them.
  struct Pair: Entropy {
    let number: UInt64
    func next() -> UInt64 { number }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  mutating func entropy() -> Pair { Pair(number: next()) }
}

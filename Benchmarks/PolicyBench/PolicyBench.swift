import ChimeIdentity
import Configuration
import Glibc
import PolicyEngine
import Primitives
import StrictJSON

/// What policies cost: loading and compiling a folder of them, and each request that they decide.
///
/// Times are the processor's, of one thread. Each figure is the least of several rounds; the ratios are what to look at.
@main struct PolicyBench {
  static let rounds = 7
  static let requestsPerRound = 4000
  static let tenantCount = 10_000

  static func main() throws {
    let tenants = (0..<tenantCount).map { PolicySample.tenant($0) }
    print("times of a request in microseconds; in brackets the ratio to one policy")
    print(
      "policies                   load ms  compile ms     first      allowed         denied          whole")
    var first: Row?
    for sample in PolicySample.all {
      let row = try measure(sample, tenants)
      let base = first ?? row
      first = base
      print(
        padded(sample.name, 26), shown(row.load * 1e3, 8), shown(row.compile * 1e3, 12),
        shown(row.firstCall * 1e6, 10), compared(row.allowed, base.allowed),
        compared(row.denied, base.denied),
        compared(row.whole, base.whole), separator: "")
    }
  }

  struct Row {
    /// In seconds, like all that follow.
    var load = Double.infinity
    var compile = Double.infinity
    /// What the first request of a tenant costs more, for its plan.
    var firstCall = Double.infinity
    /// Deciding a request that policies allow, or deny.
    var allowed = Double.infinity
    var denied = Double.infinity
    /// Identifying, parsing, validating, allowing and writing the body anew.
    var whole = Double.infinity
  }

  static func measure(_ sample: PolicySample, _ tenants: [TenantFacts]) throws -> Row {
    var row = Row()
    var kept: JudgedRequest?
    var written = ByteBuffer(capacity: 2048)
    let callers = stride(from: 0, to: tenants.count, by: 101).map { tenants[$0] }
    // Deciding alone is measured on copies of what was read.
    let allowed = try sample.allowed.map { try Sample($0) }
    let denied = try Sample(sample.denied)
    for _ in 0..<rounds {
      let (files, load) = try timed { try sample.load() }
      let ((set, problems), compile) = try timed {
        PolicySet.compile(documents: files.documents, exceptions: files.exceptions, tenants: tenants)
      }
      if let problem = problems.first(where: { $0.severity == .error }) { throw BenchFailure(problem.line) }
      func perRequest(_ work: (Int, TenantFacts) throws -> Void) throws -> Double {
        try timed { for number in 0..<requestsPerRound { try work(number, callers[number % callers.count]) } }
          .seconds / Double(requestsPerRound)
      }
      let (_, firstCall) = try timed { for caller in callers { try allowed[0].decide(set, caller, true) } }
      row.load = min(row.load, load)
      row.compile = min(row.compile, compile)
      row.allowed = min(
        row.allowed, try perRequest { try allowed[$0 % allowed.count].decide(set, $1, true) })
      row.denied = min(row.denied, try perRequest { try denied.decide(set, $1, false) })
      row.whole = min(
        row.whole,
        try perRequest { number, caller in
          let body = sample.allowed[number % allowed.count]
          let judged = try kept ?? JudgedRequest(Sample.call(), body: body)
          if kept != nil { judged.reuse(for: try Sample.call(), in: body, body: 0..<body.count) }
          kept = judged
          written.removeAll()
          _ = try judged.confine(to: set.policies(for: caller)).validate().decide(
            at: Sample.now, fillingIn: { _ in "token" }, body: &written)
          if written.isEmpty { throw BenchFailure("an empty body") }
        })
      row.firstCall = min(row.firstCall, firstCall / Double(callers.count))
    }
    row.firstCall = max(0, row.firstCall - row.allowed)
    return row
  }

  /// Microseconds, and how many times as much as with one policy.
  static func compared(_ seconds: Double, _ base: Double) -> String {
    shown(seconds * 1e6, 9) + padded(" (\(shown(seconds / base, 1).dropFirst()))", 9)
  }

  static func timed<Result>(_ work: () throws -> Result) throws -> (Result, seconds: Double) {
    let start = threadSeconds()
    let result = try work()
    return (result, threadSeconds() - start)
  }

  /// What the kernel counted for this thread: other work on the machine disturbs it less than a clock.
  static func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// With two decimals, right-aligned.
  static func shown(_ value: Double, _ width: Int) -> String {
    let hundredths = Int((value * 100).rounded())
    let cents = hundredths % 100
    let text = "\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)"
    return String(repeating: " ", count: max(1, width - text.count)) + text
  }
}

/// A request whose facts are read.
final class Sample {
  /// Before the exceptions end.
  static let now = WallClockTime(seconds: 1_800_000_000)

  private let facts: GovernedRequest

  init(_ body: [UInt8]) throws {
    let document = try JSONDocument(parsing: body)
    let call = try Self.call()
    try ModelValidator.validate(call, document: document)
    facts = GovernedRequest(call: call, document: document)
  }

  static func call() throws -> IdentifiedCall {
    try Operation.identify(method: "POST".utf8Slice, path: "/app-instance-users".utf8Slice, query: nil)
  }

  func decide(_ set: PolicySet, _ tenant: TenantFacts, _ isAllowed: Bool) throws {
    var request = facts.copy()
    let decision = set.policies(for: tenant).decide(&request, at: Self.now)
    guard decision.isAllowed == isAllowed else {
      throw BenchFailure(
        "\(tenant.id): \(decision.violations.first?.message ?? "allowed what it should not")")
    }
  }
}

struct BenchFailure: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

extension String {
  var utf8Slice: ArraySlice<UInt8> { Array(utf8)[...] }
}

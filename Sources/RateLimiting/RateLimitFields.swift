internal import Primitives

/// The values of `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10: lists
/// of structured-field items, RFC 9651) and of `Retry-After` (RFC 9110 section 10.2.3).
package enum RateLimitFields {
  /// `"tenant";q=20;w=2`: a quota of `q` requests in any `w` seconds. The quota is the burst, and the
  /// window the time in which the rate gives it again.
  package static func appendPolicy(_ policy: GCRA, named name: StaticString, to out: inout [UInt8]) {
    let window = policy.interval * Int64(policy.burst)
    appendName(name, to: &out)
    out.append(";q=")
    out.append(decimal: policy.burst)
    out.append(";w=")
    out.append(decimal: wholeSeconds(window))
  }

  /// `"tenant";r=0;t=2`: `r` requests are left, and in `t` seconds the whole quota is there again.
  package static func appendState(
    of decision: LimitDecision, named name: StaticString, to out: inout [UInt8]
  ) {
    appendName(name, to: &out)
    out.append(";r=")
    out.append(decimal: decision.remaining)
    out.append(";t=")
    out.append(decimal: wholeSeconds(decision.reset))
  }

  /// `nanoseconds` as whole seconds, rounded up so that waiting them is enough; at least one.
  package static func wholeSeconds(_ nanoseconds: Int64) -> Int {
    Int(max(1, (max(0, nanoseconds) - 1) / 1_000_000_000 + 1))
  }

  private static func appendName(_ name: StaticString, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    out.append(name)
    out.append(UInt8(ascii: "\""))
  }
}

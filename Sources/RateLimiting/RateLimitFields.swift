internal import Primitives

/// The values of `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11: lists
/// of structured-field items, RFC 9651) and of `Retry-After` (RFC 9110 section 10.2.3).
package enum RateLimitFields {
  /// `"tenant";q=20;w=2`: a quota of `q` requests in any `w` seconds. The quota is the burst, and the
  /// window the time in which the rate gives it again.
  package static func appendPolicy(_ policy: GCRA, named name: String, to out: inout [UInt8]) {
    let window = policy.interval * Int64(policy.burst)
    appendName(name, to: &out)
    out.append(";q=")
    out.append(decimal: policy.burst)
    out.append(";w=")
    out.append(decimal: wholeSeconds(window))
  }

  /// `"concurrency";q=8;qu="concurrent-requests"`
  package static func appendPolicy(concurrency: Int, named name: String, to out: inout [UInt8]) {
    appendName(name, to: &out)
    out.append(";q=")
    out.append(decimal: concurrency)
    out.append(";qu=\"concurrent-requests\"")
  }

  /// `"tenant";r=0;t=2`: no more than `r` requests can be made within `t` seconds.
  /// - Parameter reset: nanoseconds; `nil`: nobody knows.
  package static func appendState(_ remaining: Int, reset: Int64?, named name: String, to out: inout [UInt8])
  {
    appendName(name, to: &out)
    out.append(";r=")
    out.append(decimal: remaining)
    guard let reset else { return }
    out.append(";t=")
    out.append(decimal: wholeSeconds(reset))
  }

  /// `nanoseconds` as whole seconds, rounded up so that waiting them is enough; at least one.
  package static func wholeSeconds(_ nanoseconds: Int64) -> Int {
    Int(max(1, (max(0, nanoseconds) - 1) / 1_000_000_000 + 1))
  }

  private static func appendName(_ name: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    out += name.utf8
    out.append(UInt8(ascii: "\""))
  }
}

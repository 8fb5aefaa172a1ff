import Admin
import AuditTrail
import Primitives
import Testing

@testable import Gateway

@Suite struct MetricsTextTests {
  @Test func whatALabelMayNotHoldIsEscaped() {
    var counts = Metrics.Counts()
    let key = Metrics.RequestKey(
      tenant: "a\"b\\c\nd", operation: "CreateAppInstanceUser", decision: .allowed, status: 201)
    counts.requests[key] = 3
    #expect(
      lines(counts).contains(
        #"gatehouse_requests_total{tenant="a\"b\\c\nd",operation="CreateAppInstanceUser","#
          + #"decision="allowed",status="201"} 3"#))
  }

  @Test func bucketsAreCumulativeAndIncludeTheirBound() {
    var histogram = DurationHistogram()
    for nanoseconds: Int64 in [400_000, 500_000, 500_001, 20_000_000_000] {
      histogram.record(nanoseconds: nanoseconds)
    }
    var text = MetricsText()
    text.histogram("x", "Help.", histogram)
    let lines = String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(lines.prefix(2) == ["# HELP x Help.", "# TYPE x histogram"])
    #expect(lines.contains(#"x_bucket{le="0.0005"} 2"#))
    #expect(lines.contains(#"x_bucket{le="0.001"} 3"#))
    #expect(lines.contains(#"x_bucket{le="10.0"} 3"#))
    #expect(lines.suffix(3).first == #"x_bucket{le="+Inf"} 4"#)
    #expect(lines.last == "x_count 4")
  }

  @Test func workersAddUp() {
    let key = Metrics.RequestKey(tenant: "crm", operation: "", decision: .denied, status: 403)
    var counts = Metrics.Counts()
    for _ in 0..<2 {
      var worker = Metrics.Counts()
      worker.requests[key] = 2
      worker.retries["status"] = 1
      worker.requestDurations.record(nanoseconds: 1, of: 1)
      worker.pools = PerRegion(.init(idle: 1, inUse: 0), [.init(idle: 2, inUse: 3)])
      counts.add(worker)
    }
    #expect(counts.requests[key] == 4)
    #expect(counts.requestDurations.sum.count == 2)
    #expect(lines(counts).contains(#"gatehouse_upstream_retries_total{reason="status"} 2"#))
    #expect(lines(counts).contains(#"gatehouse_upstream_connections{state="idle"} 2"#))
    let both = lines(counts, PerRegion([("region", "us-east-1")], [[("region", "eu-central-1")]]))
    #expect(both.contains(#"gatehouse_upstream_connections{region="us-east-1",state="idle"} 2"#))
    #expect(both.contains(#"gatehouse_upstream_connections{region="eu-central-1",state="active"} 6"#))
  }

  @Test func everyFamilyIsDeclaredOnce() {
    let declared = lines(Metrics.Counts()).filter { $0.hasPrefix("# TYPE ") }
    #expect(Set(declared).count == declared.count)
    for name in [
      "gatehouse_requests_total counter", "gatehouse_request_duration_seconds histogram",
      "gatehouse_upstream_duration_seconds histogram", "gatehouse_policy_violations_total counter",
      "gatehouse_rate_limited_total counter", "gatehouse_upstream_connections gauge",
      "gatehouse_upstream_retries_total counter", "gatehouse_connections gauge",
    ] {
      #expect(declared.contains("# TYPE \(name)"))
    }
  }

  /// Counters lose their suffix, so each must have it.
  @Test func openMetricsNameFamiliesWithoutTheSuffixOfTheirSamples() {
    var counts = Metrics.Counts()
    counts.retries["status"] = 1
    let text = lines(counts, form: .openMetrics)
    #expect(text.contains("# TYPE gatehouse_upstream_retries counter"))
    #expect(text.contains(#"gatehouse_upstream_retries_total{reason="status"} 1"#))
    #expect(text.last == "# EOF")
    for line in lines(counts) where line.hasPrefix("# TYPE ") && line.hasSuffix(" counter") {
      #expect(line.hasSuffix("_total counter"))
    }
    #expect(!lines(counts).contains { $0.hasPrefix("# EOF") })
  }

  private func lines(
    _ counts: Metrics.Counts, _ regions: PerRegion<[(String, String)]> = PerRegion([]),
    form: MetricsForm = .text
  ) -> [String] {
    var text = MetricsText(form)
    text.append(counts, regions: regions)
    text.end()
    return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

/// How metrics are written.
package enum MetricsForm: Sendable {
  /// Prometheus' text format 0.0.4, for whoever does not ask for the other.
  case text
  /// OpenMetrics 1.0.0, which scrapers ask for that want exemplars.
  case openMetrics

  var contentType: StaticString {
    switch self {
    case .text: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// - Parameter accept: the values of the field (RFC 9110 section 12.5.1). OpenMetrics must be named, and be as welcome as
  ///   the other.
  init(accepting accept: [String]) {
    var (openMetrics, text) = (0.0, 0.0)
    for range in accept.joined(separator: ",").lowercased().split(separator: ",") {
      let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
      func parameter(_ name: String) -> Substring? {
        parts.dropFirst().first { $0.hasPrefix(name + "=") }?.dropFirst(name.count + 1)
      }
      let weight = parameter("q").map { Double($0) ?? 0 } ?? 1
      switch parts.first {
      case "application/openmetrics-text" where parameter("version") ?? "1.0.0" == "1.0.0":
        openMetrics = max(openMetrics, weight)
      case "text/plain", "text/*", "*/*": text = max(text, weight)
      default: break
      }
    }
    self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .text
  }
}

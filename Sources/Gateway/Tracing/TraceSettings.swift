internal import Configuration
package import OpenSSLCrypto

/// Where spans go, by the OpenTelemetry specification's variables
/// (https://opentelemetry.io/docs/specs/otel/protocol/exporter/).
package struct TraceSettings: Sendable {
  package struct Fault: Error {
    package let message: String
  }

  let endpoint: UpstreamEndpoint
  let path: String
  /// Further fields of each request, such as a key of the collector.
  let fields: [(name: String, value: String)]
  let serviceName: String

  /// `nil`: nobody wants spans.
  package init?(_ environment: Environment) throws(Fault) {
    let own = environment.nonEmpty("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    guard let url = own ?? environment.nonEmpty("OTEL_EXPORTER_OTLP_ENDPOINT"),
      environment.nonEmpty("OTEL_SDK_DISABLED")?.lowercased() != "true",
      environment.nonEmpty("OTEL_TRACES_EXPORTER") != "none"
    else { return nil }
    guard let start = url.firstRange(of: "://") else { throw Self.fault(url) }
    let slash = url[start.upperBound...].firstIndex(of: "/") ?? url.endIndex
    guard let endpoint = UpstreamEndpoint(written: String(url[..<slash])) else { throw Self.fault(url) }
    self.endpoint = endpoint
    let base = String(url[slash...])
    // The general variable is a base, the one for traces the whole URL.
    path = own != nil ? (base.isEmpty ? "/" : base) : (base.hasSuffix("/") ? base : base + "/") + "v1/traces"
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw Self.fault(url) }
    let headers =
      environment.nonEmpty("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
      ?? environment.nonEmpty("OTEL_EXPORTER_OTLP_HEADERS") ?? ""
    fields = headers.split(separator: ",").compactMap { pair in
      let parts = pair.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    serviceName = environment.nonEmpty("OTEL_SERVICE_NAME") ?? "gatehouse"
  }

  private static func fault(_ url: String) -> Fault {
    Fault(
      message: "expected a URL such as http://127.0.0.1:4318 in $OTEL_EXPORTER_OTLP_ENDPOINT, found `\(url)`")
  }
}

extension Substring {
  fileprivate var trimmed: String {
    var rest = self
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}

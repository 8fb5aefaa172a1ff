import Configuration
import OpenSSLCrypto
import Testing

@testable import Gateway

@Suite struct TraceTests {
  private static let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private func read(_ text: String) -> TraceParent? { read(Array(text.utf8)) }

  private func read(_ bytes: [UInt8]) -> TraceParent? { TraceParent(bytes.span) }

  @Test func aTraceparentIsReadAsW3CHasIt() throws {
    let parent = try #require(read(Self.good))
    #expect(parent.trace.text == "0af7651916cd43dd8448eb211c80319c")
    #expect(TraceID.hex(parent.span) == "b7ad6b7169203331")
    #expect(parent.isSampled)
    #expect(read("\(Self.good.dropLast())0")?.isSampled == false)
    // A later version may say more.
    #expect(read("01\(Self.good.dropFirst(2))-more") != nil)
  }

  @Test(arguments: [
    "", "00", "ff\(good.dropFirst(2))", "\(good)-more", "\(good)0", "00_\(good.dropFirst(3))",
    good.uppercased(), "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
    "01\(good.dropFirst(2))0", "\(good.dropLast())g",
  ])
  func whatIsNoneIsNone(_ text: String) { #expect(read(text) == nil, "\(text)") }

  /// Each byte of a good one changed to each of some others.
  @Test func noOtherByteTrapsOrPasses() {
    for index in Self.good.utf8.indices {
      for byte: UInt8 in [0, 0x20, 0x2D, 0x2F, 0x3A, 0x40, 0x41, 0x47, 0x60, 0x67, 0x7F, 0xC3] {
        var bytes = Array(Self.good.utf8)
        let place = Self.good.utf8.distance(from: Self.good.utf8.startIndex, to: index)
        guard bytes[place] != byte else { continue }
        bytes[place] = byte
        #expect(read(bytes) == nil)
      }
    }
  }

  @Test(
    arguments: [
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318"], "http://h:4318 /v1/traces"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:4318/otlp/"], "http://h:4318 /otlp/v1/traces"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://h"], "https://h:443 /v1/traces"),
      (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:4318/x"], "http://h:4318 /x"),
      (
        ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://h:4318", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://i"],
        "http://h:4318 /"
      ),
      ([:], "none"), (["OTEL_EXPORTER_OTLP_ENDPOINT": ""], "none"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_SDK_DISABLED": "true"], "none"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h", "OTEL_TRACES_EXPORTER": "none"], "none"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "h:4318"], "refused"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://h"], "refused"),
      (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://h/a b"], "refused"),
    ] as [([String: String], String)])
  func variablesAreThoseOfTheSpecification(_ variables: [String: String], _ expected: String) {
    let result: String
    do throws(TraceSettings.Fault) {
      let settings = try TraceSettings(Environment(variables))
      result =
        settings.map {
          "\($0.endpoint.usesTLS ? "https" : "http")://\($0.endpoint.host):\($0.endpoint.port) \($0.path)"
        } ?? "none"
    } catch {
      result = "refused"
    }
    #expect(result == expected)
  }
}

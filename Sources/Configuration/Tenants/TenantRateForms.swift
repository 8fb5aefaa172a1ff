internal import StrictJSON

extension Tenant.RateLimit {
  static func form(knownOperations: [String]) -> Form<Self> {
    .object("a rate limit object") { keys in
      let rate = Rate.required(keys)
      let concurrency = keys.optional("concurrency", .integer(1...1_000_000), "Requests in flight.")
      let operations = keys.optional(
        "operations", .rates(of: knownOperations),
        "Rates of single operations, by name, and of read, which is all Describe, Get and List operations together."
      )
      let perAppInstance = keys.optional(
        "perAppInstance", Rate.form, "The rate of requests about one AppInstance, each by itself.")
      guard let rate else { return nil }
      return Self(
        rate, concurrency: concurrency, operations: operations ?? [], perAppInstance: perAppInstance)
    }
  }
}

extension GatewayConfiguration.Rate {
  fileprivate static let form = Form<Self>.object("a rate object") { required($0) }

  /// A rate without a default.
  fileprivate static func required(_ keys: Keys) -> Self? {
    let rate = keys.required("requestsPerSecond", .positiveNumber, "Requests per second in the long run.")
    let burst = keys.optional(
      "burst", .integer(1...1_000_000_000), "Requests at once after a pause; one second's worth when absent.")
    guard let rate else { return nil }
    let standard = Int(max(1, min(rate, 1_000_000_000).rounded(.up)))
    return Self(requestsPerSecond: rate, burst: burst ?? standard)
  }
}

extension Form where Value == [Tenant.RateLimit.OfOperations] {
  fileprivate static func rates(of knownOperations: [String]) -> Form {
    let known = [Tenant.RateLimit.reads] + knownOperations
    let rates = Form<[(key: PolicyDocument.Located<String>, value: GatewayConfiguration.Rate)]>.map(
      from: { $0 }, to: GatewayConfiguration.Rate.form, "an object of operations and their rates")
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = { style in
      var schema = rates.schema(style)
      schema["propertyNames"] = ["enum": .array(known.map { .string($0) })]
      return schema
    }
    return Form(rates.accepted, schema: schema) { node, reading in
      rates.read(node, reading)?.compactMap { operation, rate in
        guard known.contains(operation.value) else {
          reading.error(at: operation.position, unknownOperation(operation.value, known))
          return nil
        }
        return .init(name: operation.value, rate: rate, position: operation.position)
      }
    }
  }
}

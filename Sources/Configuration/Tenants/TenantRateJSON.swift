internal import Primitives
package import StrictJSON

extension JSONWriter {
  /// The member `rateLimit`, with the keys of the tenants file.
  package mutating func write(_ rateLimit: Tenant.RateLimit) {
    object("rateLimit") { writer in
      writer.writeMembers(of: rateLimit.rate)
      if let concurrency = rateLimit.concurrency { writer.member("concurrency", concurrency) }
      if !rateLimit.operations.isEmpty {
        writer.object("operations") { writer in
          for operation in rateLimit.operations { writer.write(operation.name, operation.rate) }
        }
      }
      if let rate = rateLimit.perAppInstance { writer.write("perAppInstance", rate) }
    }
  }

  private mutating func write(_ name: String, _ rate: GatewayConfiguration.Rate) {
    key(text: Text(name))
    beginObject()
    writeMembers(of: rate)
    endObject()
  }

  private mutating func writeMembers(of rate: GatewayConfiguration.Rate) {
    member("requestsPerSecond", rate.requestsPerSecond)
    member("burst", rate.burst)
  }
}

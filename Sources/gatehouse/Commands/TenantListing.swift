import ArgumentParser
import Configuration
import Patterns
import Primitives
import StrictJSON

struct TenantListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the tenants, without secrets.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  func run() throws {
    for tenant in try TenantsOnDisk(configOption).entries() {
      switch formatOption.format {
      case .text: Console.data(tenant.summary)
      case .json: Console.data(json: tenant.json)
      }
    }
  }
}

struct TenantShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one tenant, without secrets.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Argument(help: "Name of the tenant.")
  var id: String

  func run() throws {
    let tenants = try TenantsOnDisk(configOption)
    guard let tenant = try tenants.entries().first(where: { $0.id == Text(id) }) else {
      throw CommandFailure(.bad, "there is no tenant `\(id)` in \(tenants.path)")
    }
    switch formatOption.format {
    case .text: tenant.details.forEach { Console.data($0) }
    case .json: Console.data(json: tenant.json)
    }
  }
}

extension TenantEntry {
  /// One line: what a list of many needs.
  fileprivate var summary: String {
    let active = accessKeys.filter { $0.status == .active }.map(\.id.string)
    let keys = active.isEmpty ? "no active key" : active.joined(separator: ",")
    return [
      id.string, keys, operations.joined(separator: ","),
      appInstances.map(\.source.string).joined(separator: ","),
    ]
    // Nothing in a cell can begin another cell or line.
    .map(\.onOneLine).joined(separator: "\t")
  }

  fileprivate var details: [String] {
    var lines = ["id: \(id)"]
    if !description.isEmpty { lines.append("description: \(description)") }
    for key in accessKeys {
      let end = key.notAfter.map { " until \($0.rfc3339)" } ?? ""
      lines.append("access key: \(key.id) (\(key.status.rawValue)\(end))")
    }
    lines += clientCertificates.map { "client certificate: \($0)" }
    lines += appInstances.map { "AppInstance: \($0.source)" }
    lines += operations.map { "operation: \($0)" }
    if let rateLimit {
      let concurrency = rateLimit.concurrency.map { ", \($0) at a time" } ?? ""
      lines.append("rate limit: \(rateLimit.requestsPerSecond)/s, burst \(rateLimit.burst)\(concurrency)")
    }
    lines += labels.map { "label: \($0.key)=\($0.value)" }
    return lines.map(\.onOneLine)
  }

  /// One object on one line, with the keys of the tenants file and no secret.
  fileprivate var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("id")
    writer.string(id)
    writer.key("description")
    writer.string(description)
    writer.key("accessKeys")
    writer.array(accessKeys) { writer, key in
      writer.beginObject()
      writer.key("id")
      writer.string(key.id)
      writer.key("status")
      writer.string(key.status.rawValue)
      if let notAfter = key.notAfter {
        writer.key("notAfter")
        writer.string(notAfter.rfc3339)
      }
      writer.endObject()
    }
    writer.key("clientCertificates")
    writer.array(clientCertificates) { $0.string($1) }
    writer.key("appInstances")
    writer.array(appInstances.map(\.source)) { $0.string($1) }
    writer.key("operations")
    writer.array(operations) { $0.string($1) }
    if let rateLimit { writer.write(rateLimit) }
    writer.key("labels")
    writer.beginObject()
    for (name, value) in labels {
      writer.key(text: name)
      writer.string(value)
    }
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func array<Element>(
    _ elements: [Element], _ write: (inout JSONWriter, Element) -> Void
  ) {
    beginArray()
    for element in elements { write(&self, element) }
    endArray()
  }

  fileprivate mutating func write(_ rateLimit: Tenant.RateLimit) {
    key("rateLimit")
    beginObject()
    key("requestsPerSecond")
    real(rateLimit.requestsPerSecond)
    key("burst")
    integer(rateLimit.burst)
    if let concurrency = rateLimit.concurrency {
      key("concurrency")
      integer(concurrency)
    }
    endObject()
  }
}

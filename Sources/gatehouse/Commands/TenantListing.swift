import ArgumentParser
import Configuration
import Patterns
import Primitives
import StrictJSON

struct TenantListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the tenants, without secrets.",
    discussion: """
      EXAMPLES:
        gatehouse tenant list
        gatehouse tenant list --format json | jq -r '.id'
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption

  func run() throws {
    let now = WallClockTime.now
    for tenant in try TenantsOnDisk(configOption).entries() {
      switch formatOption.format {
      case .text: Console.data(tenant.summary(at: now))
      case .json: Console.data(json: tenant.json(at: now))
      }
    }
  }
}

struct TenantShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one tenant, without secrets.",
    discussion: """
      EXAMPLES:
        gatehouse tenant show crm
        gatehouse tenant show crm --format json
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Argument(help: "Name of the tenant.")
  var id: String

  func run() throws {
    let tenant = try TenantsOnDisk(configOption).entry(id)
    let now = WallClockTime.now
    switch formatOption.format {
    case .text: tenant.details(at: now).forEach { Console.data($0) }
    case .json: Console.data(json: tenant.json(at: now))
    }
  }
}

extension TenantEntry.AccessKey {
  fileprivate func standing(at now: WallClockTime) -> Tenant.KeyStanding {
    status.standing(until: notAfter, at: now)
  }
}

extension TenantEntry {
  /// One line: what a list of many needs.
  fileprivate func summary(at now: WallClockTime) -> String {
    let keys = accessKeys.compactMap { key -> String? in
      switch key.standing(at: now) {
      case .active: key.id.string
      case .expired: "\(key.id) (expired)"
      case .revoked: nil
      }
    }
    return [
      id.string, keys.isEmpty ? "no active key" : keys.joined(separator: ","),
      operations.joined(separator: ","),
      appInstances.map(\.source.string).joined(separator: ","),
    ]
    // Nothing in a cell can begin another cell or line.
    .map(\.onOneLine).joined(separator: "\t")
  }

  fileprivate func details(at now: WallClockTime) -> [String] {
    var lines = ["id: \(id)"]
    if !description.isEmpty { lines.append("description: \(description)") }
    for key in accessKeys {
      let standing = key.standing(at: now)
      let end = key.notAfter.map { "\(standing == .expired ? " since" : " until") \($0.rfc3339)" } ?? ""
      lines.append("access key: \(key.id) (\(standing.rawValue)\(end))")
    }
    lines += clientCertificates.map { "client certificate: \($0)" }
    lines += appInstances.map { "AppInstance: \($0.source)" }
    lines += operations.map { "operation: \($0)" }
    lines += (regions ?? []).map { "region: \($0.value)" }
    if let rateLimit {
      let concurrency = rateLimit.concurrency.map { ", \($0) at a time" } ?? ""
      lines.append("rate limit: \(rateLimit.rate.written)\(concurrency)")
      lines += rateLimit.operations.map { "rate limit of \($0.name): \($0.rate.written)" }
      lines += rateLimit.perAppInstance.map { ["rate limit of each AppInstance: \($0.written)"] } ?? []
    }
    if let role { lines.append("role: \(role.arn)") }
    lines += labels.map { "label: \($0.key)=\($0.value)" }
    return lines.map(\.onOneLine)
  }

  /// One object on one line, with the keys of the tenants file and no secret.
  ///
  /// A key's `status` says what it is good for at this time, so that `expired` stands there too.
  fileprivate func json(at now: WallClockTime) -> [UInt8] {
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
      writer.string(key.standing(at: now).rawValue)
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
    if let regions {
      writer.key("regions")
      writer.array(regions) { $0.string($1.value) }
    }
    if let role { writer.write(role) }
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

  fileprivate mutating func write(_ role: Tenant.Role) {
    key("assumeRole")
    beginObject()
    key("roleArn")
    string(role.arn)
    key("sourceIdentity")
    boolean(role.setsSourceIdentity)
    endObject()
  }
}

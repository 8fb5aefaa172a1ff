import ArgumentParser
import AuditTrail
import Primitives

/// Prints requests of the journal, as JSON, as CSV or as a table.
struct RequestPrinter: ~Copyable {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

  let format: Format
  /// Whether requests are of several gateways.
  private let namesGateway: Bool
  /// Columns of the terminal; `nil` when the output is not one, and nothing is cut.
  private let width: Int?
  private var hasHeader = false

  init(format: Format, namesGateway: Bool = false) {
    self.format = format
    self.namesGateway = namesGateway
    width = Console.width
  }

  /// Once, before the first request: a table without any has a header as well, but not one that could not be read.
  mutating func printHeader() {
    guard !hasHeader else { return }
    hasHeader = true
    switch format {
    case .text: Console.data(row(Self.columns.map(\.name)))
    case .json: break
    case .csv: Console.data(csv: RequestHistory.csvHeader(namesGateway: namesGateway))
    }
  }

  mutating func print(_ request: RequestHistory) {
    printHeader()
    switch format {
    case .json: Console.data(json: request.json)
    case .csv: Console.data(csv: request.csvLine)
    case .text:
      Console.data((request.doubt.map { "\($0.rawValue.uppercased()) " } ?? "") + row(request.cells))
    }
  }

  /// Name and width of each column; the last takes the rest.
  private static let columns: [(name: String, width: Int)] = [
    ("TIME", 24), ("TENANT", 12), ("ACTOR", 16), ("OPERATION", 22), ("USER", 20), ("DECISION", 15),
    ("STATUS", 6),
    ("OUTCOME", 12), ("GATEWAY", 16), ("DETAILS", 0),
  ]

  private func row(_ cells: [String]) -> String {
    var line = ""
    for (cell, column) in zip(cells, Self.columns) where namesGateway || column.name != "GATEWAY" {
      if !line.isEmpty { line += " " }
      // On a terminal columns stay in place; elsewhere nothing may be lost.
      let text = width == nil || column.width == 0 ? cell : Self.cut(cell, to: column.width)
      line += text + String(repeating: " ", count: max(0, column.width - text.unicodeScalars.count))
    }
    while line.last == " " { line.removeLast() }
    return width.map { Self.cut(line, to: $0) } ?? line
  }

  private static func cut(_ text: String, to width: Int) -> String {
    guard text.unicodeScalars.count > width else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(width - 1))) + "\u{2026}"
  }
}

extension RequestHistory {
  fileprivate var cells: [String] {
    let user = text("appInstanceUserId") ?? text("appInstanceUserArn")
    return [
      time.rfc3339, shown("tenant"), shown("actor"), shown("operation"), user.map { $0.onOneLine } ?? "-",
      shown("decision"), integer("status").map { String($0) } ?? "-", outcome.onOneLine,
      gatewayId?.onOneLine ?? "-",
      details,
    ]
  }

  private func shown(_ member: Text) -> String { text(member)?.onOneLine ?? "-" }

  /// The rules that were broken, or the error that was answered.
  private var details: String {
    let rules = first.rules("violations") + first.rules("warnings").map { "warning:" + $0 }
    if !rules.isEmpty { return rules.map(\.onOneLine).joined(separator: " ") }
    return text("errorType")?.onOneLine ?? ""
  }
}

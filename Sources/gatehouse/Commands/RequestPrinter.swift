import ArgumentParser
import AuditTrail
import PolicyTrials
import Primitives

/// Prints requests of the journal, as JSON, as CSV or as a table.
struct RequestPrinter: ~Copyable {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

  let format: Format
  /// Whether requests are of several gateways.
  private let namesGateway: Bool
  private let table: RequestTable
  private var hasHeader = false

  init(format: Format, namesGateway: Bool = false) {
    self.format = format
    self.namesGateway = namesGateway
    table = RequestTable(width: Console.width, namesGateway: namesGateway)
  }

  /// Once, before the first request: a table without any has a header as well, but not one that could not be read.
  mutating func printHeader() {
    guard !hasHeader else { return }
    hasHeader = true
    switch format {
    case .text: Console.data(table.header)
    case .json: break
    case .csv: Console.data(csv: RequestHistory.csvHeader(namesGateway: namesGateway))
    }
  }

  mutating func print(_ request: RequestHistory) {
    printHeader()
    switch format {
    case .json: Console.data(json: request.json)
    case .csv: Console.data(csv: request.csvLine)
    case .text: Console.data(table.row(request))
    }
  }
}

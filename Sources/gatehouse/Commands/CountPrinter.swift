import AuditTrail
import Primitives

/// Prints how many requests there are of each kind.
struct CountPrinter {
  private let format: RequestPrinter.Format
  private let fields: [RequestCounts.Field]

  init(format: RequestPrinter.Format, _ fields: [RequestCounts.Field]) {
    self.format = format
    self.fields = fields
  }

  func print(_ rows: some Collection<(values: [Text?], count: Int)>) {
    switch format {
    case .json: for row in rows { Console.data(json: RequestCounts.json(row.values, row.count, by: fields)) }
    case .csv: printCSV(rows)
    case .text: printTable(rows)
    }
  }

  private func printCSV(_ rows: some Collection<(values: [Text?], count: Int)>) {
    var writer = CSVWriter()
    for field in fields { writer.field(Text(field.rawValue)) }
    writer.field("count")
    writer.endLine()
    for row in rows {
      for value in row.values { writer.field(value ?? "") }
      writer.field(Text(String(row.count)))
      writer.endLine()
    }
    Console.data(csv: writer.bytes)
  }

  private func printTable(_ rows: some Collection<(values: [Text?], count: Int)>) {
    let cells = rows.map { row in row.values.map { $0?.onOneLine ?? "-" } + [String(row.count)] }
    let header = fields.map { $0.rawValue.uppercased() } + ["COUNT"]
    let widths = header.indices.map { column in
      ([header] + cells).map { $0[column].unicodeScalars.count }.max() ?? 0
    }
    for row in [header] + cells {
      let padded = zip(row, widths).enumerated().map { index, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.unicodeScalars.count)
        // Numbers end where their column does.
        return index == fields.count ? space + cell.0 : cell.0 + space
      }
      Console.data(padded.joined(separator: "  "))
    }
  }
}

import AuditTrail
import PolicyTrials
import Primitives

/// The table of `audit query` and `audit follow`. On a terminal it has the columns for which there is room, the most
/// important ones first, and each row one line; elsewhere all of them, and nothing is cut.
struct RequestTable {
  private enum Column: CaseIterable {
    case time, tenant, actor, operation, user, decision, status, outcome, gateway, details

    var name: String {
      switch self {
      case .time: "TIME"
      case .tenant: "TENANT"
      case .actor: "ACTOR"
      case .operation: "OPERATION"
      case .user: "USER"
      case .decision: "DECISION"
      case .status: "STATUS"
      case .outcome: "OUTCOME"
      case .gateway: "GATEWAY"
      case .details: "DETAILS"
      }
    }

    /// The last column takes what is left.
    var width: Int {
      switch self {
      case .time: 24
      case .tenant: 12
      case .actor: 16
      case .operation: 22
      case .user: 20
      case .decision: 15
      case .status: 6
      case .outcome: 12
      case .gateway: 16
      case .details: 0
      }
    }
  }

  /// Who did what to whom and whether they might is what a line must say; the rest comes as there is room.
  private static let byImportance: [(column: Column, width: Int)] = [
    (.decision, 15), (.user, 16), (.time, 8), (.operation, 21), (.tenant, 12), (.gateway, 16),
    (.details, 20), (.outcome, 12), (.actor, 16), (.status, 6),
  ]
  /// With the date, to the second.
  private static let wholeTime = 19
  private static let widestUser = 40

  private let columns: [(column: Column, width: Int)]
  /// Columns of the terminal; `nil` elsewhere.
  private let width: Int?

  /// - Parameter width: of the terminal; `nil` when the output is not one.
  init(width: Int?, namesGateway: Bool) {
    self.width = width
    let wanted = Column.allCases.filter { namesGateway || $0 != .gateway }
    guard let width else {
      columns = wanted.map { ($0, $0.width) }
      return
    }
    var chosen: [Column: Int] = [:]
    var left = width + 1
    for (column, least) in Self.byImportance where wanted.contains(column) {
      // What comes later is not shown in place of what should have come before.
      guard left > least else { break }
      chosen[column] = least
      left -= least + 1
    }
    if let time = chosen[.time], left >= Self.wholeTime - time {
      chosen[.time] = Self.wholeTime
      left -= Self.wholeTime - time
    }
    if let user = chosen[.user] {
      let more = min(left, Self.widestUser - user)
      chosen[.user] = user + more
      left -= more
    }
    if let details = chosen[.details] { chosen[.details] = details + left }
    columns = wanted.compactMap { column in chosen[column].map { (column, $0) } }
  }

  var header: StyledText {
    // In UTC, which times without a zone do not say.
    let names = columns.map { column, room in
      column == .time && width != nil ? (room < Self.wholeTime ? "UTC TIME" : "TIME (UTC)") : column.name
    }
    let cells = zip(names, columns).map { fitted($0, to: $1.width) }
    return "\(strong: Self.trimmed(cells.joined(separator: " ")))"
  }

  func row(_ request: RequestHistory) -> StyledText {
    var (before, decision, after) = ("", "", "")
    for (column, width) in columns {
      let cell = fitted(text(column, of: request), to: width)
      switch column {
      case .decision: decision = cell
      default:
        if decision.isEmpty { before += cell + " " } else { after += " " + cell }
      }
    }
    after = Self.trimmed(after)
    let doubt = request.doubt.map { "\($0.rawValue.uppercased()) " } ?? ""
    makeRoom(for: doubt, &before, decision, &after)
    return switch request.text("decision")?.string {
    case "allowed": "\(bad: doubt)\(before)\(good: decision)\(after)"
    case "denied": "\(bad: doubt)\(before)\(bad: decision)\(after)"
    default: "\(bad: doubt)\(before)\(doubtful: decision)\(after)"
    }
  }

  /// What is wrong with a record matters more than the end of its details, or of the user's id.
  private func makeRoom(for doubt: String, _ before: inout String, _ decision: String, _ after: inout String)
  {
    guard let width, !doubt.isEmpty else { return }
    var excess = [doubt, before, decision, after].reduce(-width) { $0 + $1.unicodeScalars.count }
    guard excess > 0 else { return }
    let cut = min(excess, after.unicodeScalars.count)
    after.unicodeScalars.removeLast(cut)
    excess -= cut
    guard excess > 0, before.unicodeScalars.count > excess + 1 else { return }
    before.unicodeScalars.removeLast(excess + 1)
    before += " "
  }

  private func text(_ column: Column, of request: RequestHistory) -> String {
    switch column {
    case .time: time(of: request)
    case .tenant: request.shown("tenant")
    case .actor: request.shown("actor")
    case .operation: request.shown("operation")
    case .user: request.text("appInstanceUserId")?.onOneLine ?? request.shown("appInstanceUserArn")
    case .decision: request.shown("decision")
    case .status: request.integer("status").map { String($0) } ?? "-"
    case .outcome: request.outcome.onOneLine
    case .gateway: request.gatewayId?.onOneLine ?? "-"
    case .details: request.details
    }
  }

  private func time(of request: RequestHistory) -> String {
    let time = request.time.rfc3339
    guard width != nil, let column = columns.first(where: { $0.column == .time }) else { return time }
    let seconds = time.prefix(Self.wholeTime).replacing("T", with: " ")
    return String(seconds.suffix(column.width))
  }

  /// On a terminal columns stay in place; elsewhere nothing may be lost.
  private func fitted(_ cell: String, to width: Int) -> String {
    let count = cell.unicodeScalars.count
    guard count > width else { return cell + String(repeating: " ", count: width - count) }
    guard self.width != nil, width > 0 else { return cell }
    return String(String.UnicodeScalarView(cell.unicodeScalars.prefix(width - 1))) + "\u{2026}"
  }

  private static func trimmed(_ line: String) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return line
  }
}

extension RequestHistory {
  fileprivate func shown(_ member: Text) -> String { text(member)?.onOneLine ?? "-" }

  /// Whom to ask about the policies that were broken, each once.
  private var owners: [String] {
    let all = ["violations", "warnings"].flatMap { first.texts("owner", ofEach: $0) }
    var seen: Set<Text> = []
    let owners = all.filter { seen.insert($0).inserted }.map(\.onOneLine)
    return owners.isEmpty ? [] : ["(owner: \(owners.joined(separator: ", ")))"]
  }

  /// The rules that were broken, or the error that was answered and why.
  fileprivate var details: String {
    let rules = first.rules("violations") + first.rules("warnings").map { "warning:" + $0 }
    if !rules.isEmpty { return (rules.map(\.onOneLine) + owners).joined(separator: " ") }
    return [text("errorType"), text("reason")].compactMap { $0?.onOneLine }.joined(separator: ": ")
  }
}

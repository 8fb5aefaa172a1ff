import Foundation
import Primitives
import Testing

@testable import RateLimiting

/// What the script of the store of limits said to some thousand requests (`Tests/EndToEnd/shares.py` wrote it down): the
/// machine here says the same. That one is tested by simulation; the script is so by this.
@Suite("Sharing, as the store does it")
struct SharingTraceTests {
  @Test("the machine decides as the store's script did")
  func sameDecisions() throws {
    let here = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let lines = try String(contentsOf: here.appending(path: "Fixtures/limits/shares.txt"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ") }
    var replay: Replay?
    var turns = 0
    for (number, line) in lines.enumerated() {
      if line[0] == "budget" {
        replay = try Replay(line)
      } else if let turn = try replay?.play(line) {
        turns += 1
        let told = try told(line)
        try #require(isSame(turn, told), "line \(number + 1): \(turn), the store said \(told)")
      }
    }
    #expect(turns > 5000)
  }

  private struct Turn {
    let name: Substring
    /// Microseconds.
    let wait: Int64
  }

  private func told(_ line: [Substring]) throws -> Turn {
    let end = try #require(line.firstIndex(of: "="))
    return Turn(name: line[end + 1], wait: try #require(Int64(line[end + 2])))
  }

  /// Sums are not rounded alike everywhere, so that a wait may end a microsecond earlier or later.
  private func isSame(_ turn: UpstreamBudget.Turn, _ told: Turn) -> Bool {
    switch turn {
    case .granted: told.name == "granted"
    case .waiting(_, let nanoseconds): told.name == "waiting" && abs(nanoseconds / 1000 - told.wait) <= 2
    case .refused(let nanoseconds): told.name == "refused" && abs(nanoseconds / 1000 - told.wait) <= 2
    }
  }

  private struct Replay {
    private var budget: UpstreamBudget

    init(_ line: [Substring]) throws {
      budget = UpstreamBudget(try Self.settings(line), now: try Self.time(line))
    }

    private static func time(_ line: [Substring]) throws -> MonotonicInstant {
      MonotonicInstant(nanoseconds: 1000 * (try #require(Int64(line[1]))))
    }

    private static func settings(_ line: [Substring]) throws -> UpstreamBudget.Settings {
      UpstreamBudget.Settings(
        requestsPerSecond: try #require(Double(line[2])), burst: try #require(Int(line[3])),
        adaptive: line[4] == "1")
    }

    mutating func play(_ line: [Substring]) throws -> UpstreamBudget.Turn? {
      let now = try Self.time(line)
      switch line[0] {
      case "change": budget.change(to: try Self.settings(line), now: now)
      case "throttled": budget.throttled(now: now)
      case "giveBack": budget.giveBack(try tenant(line))
      case "ask":
        return budget.ask(
          try tenant(line), weight: try #require(Double(line[3])),
          queueFor: 1000 * (try #require(Int64(line[4]))), now: now)
      case "look":
        let ticket = UpstreamBudget.Ticket(
          tenant: try tenant(line), number: try #require(UInt64(line[3])))
        return budget.look(for: ticket, now: now)
      default: Issue.record("a line that says nothing: \(line)")
      }
      return nil
    }

    private func tenant(_ line: [Substring]) throws -> Int { try #require(Int(line[2].dropFirst())) }
  }
}

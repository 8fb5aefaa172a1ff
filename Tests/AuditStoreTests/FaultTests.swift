import Glibc
import TestSupport
import Testing

@testable import AuditStore

/// What the journal promises holds on a disk that fails, over thousands of random schedules.
///
/// `GATEHOUSE_FAULT_SEEDS=20000` asks for that many of each kind.
@Suite struct FaultTests {
  private static let steps = 30

  /// Seeds that are tried together.
  struct Block: Sendable, CustomTestStringConvertible {
    let seeds: Range<UInt64>

    var testDescription: String { "seeds \(seeds)" }

    static let all: [Block] = {
      let wanted = getenv("GATEHOUSE_FAULT_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 1000
      return stride(from: 0, to: wanted, by: 100).map { Block(seeds: $0..<min($0 + 100, wanted)) }
    }()
  }

  /// Seeds that failed before a fault was mended; each fault has a test of its own in `DiskFaultTests`.
  @Test(arguments: [UInt64(854), 1031, 1158, 1300])
  func synchronousSeedsThatOnceFailed(seed: UInt64) { run(seed, .sync) }

  @Test(arguments: [UInt64(33), 113, 150, 286, 455, 625, 651, 675, 722])
  func intervalSeedsThatOnceFailed(seed: UInt64) { run(10_000_000 + seed, .interval) }

  /// Runs the seed; when it fails, once more, to tell how it came to that.
  private func run(_ seed: UInt64, _ durability: Journal.Settings.Durability) {
    do {
      var journal = try SimulatedJournal(seed: seed, durability: durability)
      try journal.run(steps: Self.steps)
    } catch {
      Issue.record("seed \(seed), \(durability): \(error)\n\(story(of: seed, durability))")
    }
  }

  private func story(of seed: UInt64, _ durability: Journal.Settings.Durability) -> String {
    guard var journal = try? SimulatedJournal(seed: seed, durability: durability, isTraced: true) else {
      return "it does not begin"
    }
    try? journal.run(steps: Self.steps)
    return journal.files.trace.suffix(400).joined(separator: "\n")
  }

  @Test(arguments: Block.all)
  func synchronousJournalKeepsWhatItAcknowledged(block: Block) {
    for seed in block.seeds { run(seed, .sync) }
  }

  @Test(arguments: Block.all)
  func intervalJournalKeepsWhatItPromises(block: Block) {
    for seed in block.seeds { run(10_000_000 + seed, .interval) }
  }
}

import AuditTrail
import Primitives
import Synchronization
import TestSupport
import Testing
import Threads
import Transport

@testable import AuditStore

/// A loop with a collector of its own, as the gateway's workers have.
private final class CollectingLoop: Sendable {
  private let loop: EventLoop
  private let thread: PosixThread
  /// Made and used on the loop only.
  nonisolated(unsafe) private let records: RecordCollector

  init(_ journal: Journal) throws {
    let loop = try EventLoop(clock: RunningClock())
    self.loop = loop
    let records = RecordCollector(for: journal, under: Sensitivity()) { _ in loop.wake() }
    nonisolated(unsafe) let collector = records
    self.records = records
    thread = try PosixThread { loop.run() }
    loop.spawn {
      loop.onTurnEnd { collector.handOver() }
      loop.onWake { collector.deliver() }
    }
  }

  /// Runs so many tasks at once, and returns what they give.
  func run<T: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (RecordCollector, Int) async -> T
  ) async -> [T] {
    await withTaskGroup(of: T.self) { group in
      for number in 0..<count {
        group.addTask(executorPreference: self.loop) { await body(self.records, number) }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  func stop() {
    loop.spawn { [loop] in loop.stop() }
    thread.join()
  }
}

private func request(_ number: Int) -> AuditedRequest {
  var request = AuditedRequest(
    id: RequestID(from: NumberedEntropy(number: UInt64(number))), time: WallClockTime(seconds: 1_795_438_800),
    decision: .allowed)
  request.appInstanceUserId = Text("user-\(number)")
  return request
}

private struct NumberedEntropy: Entropy {
  let number: UInt64
  func next() -> UInt64 { number << 16 }
}

extension RecordCollector {
  fileprivate func intend(_ number: Int) async throws(JournalFailure) -> Journal.Intent {
    let request = request(number)
    return try await intend { record in
      record.begin(intent: request.id, at: request.time)
      request.append(to: &record)
      record.end()
    }
  }

  fileprivate func conclude(_ number: Int, of intent: Int, reason: String? = nil) {
    let request = request(number)
    var result = AuditedResult(.created, status: 201, durationNanoseconds: 1)
    result.reason = reason
    conclude { record in
      record.begin(outcome: request.id, of: intent, at: request.time)
      result.append(to: &record)
      record.end()
    }
  }
}

@Suite(.timeLimit(.minutes(2))) struct RecordCollectorTests {
  private let files = ScriptedFileSystem()

  private func records() throws -> [JournalRecord] {
    var records: [JournalRecord] = []
    try JournalReader(files).forEachLine { line in
      if let record = JournalRecord(line: line.withUnsafeBytes { Array($0) }) { records.append(record) }
      return true
    }
    return records
  }

  @Test func everyRequestOfManyLoopsHasItsIntentAndItsOutcome() async throws {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    let loops = try (0..<2).map { _ in try CollectingLoop(journal) }
    let sequences = await withTaskGroup(of: [[Int]].self) { group in
      for (index, loop) in loops.enumerated() {
        group.addTask {
          await loop.run(40) { records, task in
            var sequences: [Int] = []
            for round in 0..<25 {
              let number = (index * 40 + task) * 25 + round + 1
              guard let intent = try? await records.intend(number), let sequence = intent.sequence else {
                break
              }
              sequences.append(sequence)
              records.conclude(number, of: sequence)
            }
            return sequences
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    for loop in loops { loop.stop() }
    journal.close()
    #expect(sequences.allSatisfy { $0.count == 25 })
    #expect(try JournalVerification(of: files).problem == nil)
    let found = try records()
    #expect(found.count == 2 * 2000)
    let intents = found.filter { $0.kind == .intent }
    #expect(intents.map(\.sequence) == sequences.flatMap { $0 }.sorted(), "the numbers that were told")
    var outcomes: [Int: JournalRecord] = [:]
    for outcome in found where outcome.kind == .outcome { outcomes[outcome.integer("intent") ?? 0] = outcome }
    for intent in intents {
      let outcome = outcomes[intent.sequence]
      #expect(outcome?.requestId == intent.requestId)
      #expect((outcome?.sequence ?? 0) > intent.sequence)
    }
    #expect(journal.statistics.records == 4000)
    #expect(journal.statistics.synchronizations.count < 4000, "records share synchronisations")
  }

  @Test func nothingIsHandedOverBeforeTheTurnEnds() async throws {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    let records = RecordCollector(for: journal, under: Sensitivity()) { $0.deliver() }
    for number in 1...3 { records.conclude(number, of: number) }
    #expect(journal.statistics.queued + journal.statistics.records == 0)
    records.handOver()
    records.handOver()
    records.conclude(4, of: 4)
    records.handOver()
    journal.close()
    #expect(try self.records().map { $0.integer("intent") } == [1, 2, 3, 4])
  }

  @Test func largeTurnIsHandedOverBeforeItsEnd() async throws {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    let records = RecordCollector(for: journal, under: Sensitivity()) { $0.deliver() }
    for number in 1...400 {
      records.conclude(number, of: number, reason: String(repeating: "r", count: 1000))
    }
    while journal.statistics.records == 0 { await Task.yield() }
    records.handOver()
    journal.close()
    #expect(try self.records().map { $0.integer("intent") } == Array(1...400))
  }

  @Test func failureIsToldToAllAndTheirOutcomesAreKept() async throws {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    let loop = try CollectingLoop(journal)
    _ = await loop.run(1) { records, _ in try? await records.intend(1).sequence }
    files.fail(100)
    let refused = await loop.run(20) { records, number in
      do throws(JournalFailure) {
        _ = try await records.intend(number + 2)
        return false
      } catch {
        let request = request(number + 2)
        records.conclude { record in
          record.begin(outcome: request.id, at: request.time)
          request.append(to: &record)
          AuditedResult(.notForwarded, status: 503, durationNanoseconds: 1).append(to: &record)
          record.end()
        }
        return true
      }
    }
    #expect(refused.allSatisfy { $0 })
    files.fail(0)
    let next = await loop.run(1) { records, _ in try? await records.intend(100).sequence }
    #expect(next != [nil])
    loop.stop()
    journal.close()
    #expect(journal.statistics.unwrittenOutcomes == 0)
    let found = try records()
    #expect(found.filter { $0.kind == .intent }.count == 2)
    #expect(Set(found.filter { $0.kind == .outcome }.map(\.requestId)).count == 20)
    #expect(try JournalVerification(of: files).problem == nil)
  }

  @Test func closedJournalTellsThoseWhoCome() async throws {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    let loop = try CollectingLoop(journal)
    journal.close()
    let failures = await loop.run(3) { records, number in
      records.conclude(number, of: 1)
      do throws(JournalFailure) {
        _ = try await records.intend(number)
        return JournalFailure?.none
      } catch {
        return error
      }
    }
    loop.stop()
    #expect(failures == [.closed, .closed, .closed])
    #expect(journal.statistics.lostOutcomes == 3)
  }
}

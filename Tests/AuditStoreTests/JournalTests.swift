import AuditTrail
import Primitives
import Testing

@testable import AuditStore

@Suite struct JournalTests {
  @Test func recordsOfConcurrentRequestsAreChainedInOneJournal() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: SystemClock())
    let sequences = await withTaskGroup(of: [Int].self) { group in
      for task in 0..<32 {
        group.addTask {
          var sequences: [Int] = []
          for round in 0..<20 {
            guard let intent = try? await journal.intend(record("intent", "\(task)-\(round)")) else {
              return []
            }
            sequences.append(intent.sequence ?? 0)
            journal.conclude(record("outcome", "\(task)-\(round)"))
          }
          return sequences
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(sequences).count == 32 * 20, "every intent has a number of its own")
    let statistics = journal.statistics
    #expect(statistics.synchronizations.count < 32 * 20, "intents share synchronisations")
    journal.close()
    #expect(journal.statistics.records == 2 * 32 * 20)
    let verification = try JournalVerification(ofDirectory: folder.path)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 2 * 32 * 20)
    #expect(verification.extent.segments == 1)
  }
}

import Synchronization
import Testing
import Threads

@Suite struct BackgroundQueueTests {
  @Test func jobsGiveTheirResults() async {
    let queue = BackgroundQueue(capacity: 8)
    for number in 0..<20 { #expect(await queue.run { number * 2 } == number * 2) }
  }

  /// Whoever asks when too many wait is told so at once, and those who wait are answered all the same.
  @Test func moreThanMayWaitAreRefused() async {
    let queue = BackgroundQueue(capacity: 2)
    let (started, release) = (ThreadEvent(), ThreadEvent())
    async let first = queue.run {
      started.signal()
      return release.wait(nanoseconds: nil)
    }
    let hasStarted = await withCheckedContinuation { continuation in
      let thread = try? PosixThread { continuation.resume(returning: started.wait(nanoseconds: nil)) }
      thread?.abandon()
    }
    #expect(hasStarted)
    let results = await withTaskGroup(of: Int?.self) { group in
      for number in 0..<5 { group.addTask { await queue.run { number } } }
      var results: [Int?] = []
      // Three cannot wait: they are answered while the first job still goes on.
      for await result in group {
        results.append(result)
        if results.count == 3 { release.signal() }
      }
      return results
    }
    #expect(results.prefix(3).allSatisfy { $0 == nil })
    #expect(results.compactMap(\.self).count == 2)
    #expect(await first == true)
  }
}

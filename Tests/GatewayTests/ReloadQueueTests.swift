import TestSupport
import Testing

@testable import Gateway

@Suite struct ReloadQueueTests {
  @Test func whoAsksAloneMakesIt() {
    var queue = ReloadQueue<Int>()
    for number in 0..<3 {
      #expect(queue.ask(number) == true)
      let finished = queue.finish()
      #expect(finished.told.isEmpty && finished.next == nil)
    }
  }

  @Test func whoAsksMeanwhileGetsTheNextOne() {
    var queue = ReloadQueue<Int>()
    #expect(queue.ask(0) == true)
    for number in 1...3 { #expect(queue.ask(number) == false) }
    let first = queue.finish()
    #expect(first.told.isEmpty && first.next == 1)
    #expect(queue.ask(4) == false)
    let second = queue.finish()
    #expect(second.told == [2, 3] && second.next == 4)
    let third = queue.finish()
    #expect(third.told.isEmpty && third.next == nil)
    #expect(queue.ask(5) == true)
  }

  /// Whatever the course: one at a time, everybody is told once, of a reload that began after he asked.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func everybodyGetsALaterOne(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = ReloadQueue<Int>()
    var askedAt: [Int: Int] = [:]
    var told: Set<Int> = []
    var running: (leader: Int, began: Int)?
    for time in 0..<2000 {
      if running == nil || random.next() % 3 > 0 {
        askedAt[time] = time
        if queue.ask(time) {
          #expect(running == nil)
          running = (time, time)
        }
      } else if let ended = running {
        let finished = queue.finish()
        for waiter in finished.told + [ended.leader] {
          #expect(told.insert(waiter).inserted)
          #expect((askedAt[waiter] ?? .max) <= ended.began)
        }
        running = finished.next.map { ($0, time) }
      }
    }
    while let ended = running {
      let finished = queue.finish()
      told.formUnion(finished.told + [ended.leader])
      running = finished.next.map { ($0, 0) }
    }
    #expect(told.count == askedAt.count)
  }
}

internal import Glibc
internal import Synchronization

/// A thread of lower priority than those that serve, for work that somebody asks for now and then. It begins with the
/// first job, takes one after another, and ends when there has been none for a while.
package final class BackgroundQueue: Sendable {
  private struct Job: Sendable {
    let run: @Sendable () -> Void
    let refuse: @Sendable () -> Void
  }

  private struct State {
    var jobs: [Job] = []
    var isRunning = false
  }

  private let state = Mutex(State())
  private let work = ThreadEvent()
  private let capacity: Int
  private let idle: @Sendable () -> Void

  /// Nanoseconds without a job after which the thread ends.
  private static let patience: Int64 = 60_000_000_000

  /// - Parameters:
  ///   - capacity: how many jobs may wait beside the one that is under way.
  ///   - idle: called on the thread before it ends, to let go of what only jobs use.
  package init(capacity: Int, idle: @escaping @Sendable () -> Void = {}) {
    self.capacity = capacity
    self.idle = idle
  }

  /// Runs `job` on the thread.
  /// - Returns: what it gives; `nil` when too many wait already, or the system has no thread to give.
  package func run<Value: Sendable>(_ job: @escaping @Sendable () -> Value) async -> Value? {
    await withUnsafeContinuation { continuation in
      enqueue(
        Job(run: { continuation.resume(returning: job()) }, refuse: { continuation.resume(returning: nil) }))
    }
  }

  private enum Step { case refuse, wake, begin }

  private func enqueue(_ job: Job) {
    let step: Step = state.withLock { state in
      guard state.jobs.count < capacity else { return .refuse }
      state.jobs.append(job)
      if state.isRunning { return .wake }
      state.isRunning = true
      return .begin
    }
    switch step {
    case .refuse: job.refuse()
    case .wake: work.signal()
    case .begin: beginThread()
    }
  }

  private func beginThread() {
    do throws(ThreadFault) {
      try PosixThread { [self] in runJobs() }.abandon()
    } catch {
      // Others may have come in between, and nobody may wait for ever.
      let jobs = state.withLock { state in
        defer { state = State() }
        return state.jobs
      }
      for job in jobs { job.refuse() }
    }
  }

  private func runJobs() {
    PosixThread.giveWay()
    while true {
      while let job = next() { job.run() }
      if work.wait(nanoseconds: Self.patience) { continue }
      idle()
      let ends = state.withLock { state in
        state.isRunning = !state.jobs.isEmpty
        return !state.isRunning
      }
      if ends { return }
    }
  }

  private func next() -> Job? { state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() } }
}

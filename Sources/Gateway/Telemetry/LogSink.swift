internal import Glibc
internal import Primitives
internal import Synchronization
package import Threads

/// Where log lines go: a thread that writes them to standard error, so that a slow reader never stops a loop.
///
/// Nothing of the gateway waits for that thread, not even its end: a reader who does not read holds up what he would
/// have read, and no more. What is lost for it is counted, and said when lines are taken again.
package final class LogSink: Sendable {
  private struct State: ~Copyable {
    var pending: [UInt8] = []
    /// Lines that found no room since the last note of it.
    var dropped = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let lost = Atomic(0)
  private let descriptor: Int32
  private let work = ThreadEvent()
  private let hasEnded = ThreadEvent()

  /// More than this waits only when nobody reads; lines beyond are dropped and counted.
  private static let capacity = 16 << 20

  /// Writes to `descriptor`, which stays the caller's.
  /// - Throws: when there is no thread to write.
  package init(descriptor: Int32 = STDERR_FILENO) throws(ThreadFault) {
    self.descriptor = descriptor
    try PosixThread { [self] in
      run()
      hasEnded.signal()
    }.abandon()
  }

  /// Lines that nobody took, since the start.
  package var lostLines: Int { lost.load(ordering: .relaxed) }

  /// Hands over whole lines.
  package func write(_ lines: [UInt8]) {
    guard !lines.isEmpty else { return }
    let mustWake = state.withLock { state in
      guard state.pending.count + lines.count <= Self.capacity else {
        let count = Self.count(lines[...])
        state.dropped += count
        lost.add(count, ordering: .relaxed)
        return false
      }
      state.pending.append(contentsOf: lines)
      return state.pending.count == lines.count
    }
    if mustWake { work.signal() }
  }

  /// Writes what is left and ends the thread, if somebody reads.
  /// - Parameter timeout: nanoseconds after which what is left is given up; `nil`: the reader has any time.
  package func close(timeout: Int64? = nil) {
    state.withLock { $0.isClosed = true }
    work.signal()
    _ = hasEnded.wait(nanoseconds: timeout)
  }

  private func run() {
    var unsaid = 0
    while true {
      _ = work.wait(nanoseconds: nil)
      let (lines, dropped, isClosed) = state.withLock { state in
        defer {
          state.pending = []
          state.dropped = 0
        }
        return (state.pending, state.dropped, state.isClosed)
      }
      // Here, where nobody waits for it, and for all lines: User-Agents of anybody are in them.
      unsaid += writeAll(TerminalSafety.safe(lines, as: .json)) + dropped
      // Not counted as lost: the next note says as much.
      if unsaid > 0, writeAll(Self.note(of: unsaid), isCounted: false) == 0 { unsaid = 0 }
      if isClosed { return }
    }
  }

  private static func note(of count: Int) -> [UInt8] {
    var note: [UInt8] = []
    note.append(#"{"time":""#)
    note.append(string: SystemClock().wallClock().rfc3339)
    note.append(#"","level":"warning","message":"log lines dropped","count":"#)
    note.append(decimal: count)
    note.append("}\n")
    return note
  }

  /// - Returns: how many lines could not be written: the reader is gone, or the disk is full.
  private func writeAll(_ lines: [UInt8], isCounted: Bool = true) -> Int {
    var rest = lines[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        // Whoever shares the descriptor has made it non-blocking.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
      } else if errno != EINTR {
        let count = Self.count(rest)
        if isCounted { lost.add(count, ordering: .relaxed) }
        return count
      }
    }
    return 0
  }

  private static func count(_ lines: ArraySlice<UInt8>) -> Int {
    lines.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
  }
}

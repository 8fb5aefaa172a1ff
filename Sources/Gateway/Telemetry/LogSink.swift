internal import Glibc
internal import Primitives
internal import Synchronization
internal import Threads

/// Where log lines go: a thread that writes them to standard error, so that a slow reader never stops a loop.
package final class LogSink: Sendable {
  private struct State: ~Copyable {
    var pending: [UInt8] = []
    var dropped = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let descriptor: Int32
  private let wakeEnd: Int32
  private let thread = Mutex<PosixThread?>(nil)

  /// More than this waits only when nobody reads; lines beyond are dropped and counted.
  private static let capacity = 16 << 20

  /// Writes to `descriptor`, which stays the caller's.
  package init(descriptor: Int32 = STDERR_FILENO) {
    self.descriptor = descriptor
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "no pipe for the log")
    wakeEnd = ends[1]
    let reading = ends[0]
    let thread = try? PosixThread { self.run(reading) }
    precondition(thread != nil, "no thread for the log")
    self.thread.withLock { $0 = thread }
  }

  /// Hands over whole lines.
  package func write(_ lines: [UInt8]) {
    guard !lines.isEmpty else { return }
    let mustWake = state.withLock { state in
      guard state.pending.count + lines.count <= Self.capacity else {
        state.dropped += 1
        return false
      }
      state.pending.append(contentsOf: lines)
      return state.pending.count == lines.count
    }
    if mustWake { wake() }
  }

  /// Writes what is left and ends the thread.
  package func close() {
    state.withLock { $0.isClosed = true }
    wake()
    thread.withLock { $0.take() }?.join()
  }

  private func wake() {
    var byte: UInt8 = 1
    _ = Glibc.write(wakeEnd, &byte, 1)
  }

  private func run(_ reading: Int32) {
    var byte: UInt8 = 0
    while read(reading, &byte, 1) == 1 || errno == EINTR {
      let (lines, dropped, isClosed) = state.withLock { state in
        defer {
          state.pending = []
          state.dropped = 0
        }
        return (state.pending, state.dropped, state.isClosed)
      }
      // Here, where nobody waits for it, and for all lines: User-Agents of anybody are in them.
      writeAll(TerminalSafety.safe(lines, as: .json))
      if dropped > 0 {
        var note: [UInt8] = []
        note.append(#"{"level":"warning","message":"log lines dropped","count":"#)
        note.append(decimal: dropped)
        note.append("}\n")
        writeAll(note)
      }
      if isClosed { return }
    }
  }

  private func writeAll(_ lines: [UInt8]) {
    var rest = lines[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return
      }
    }
  }
}

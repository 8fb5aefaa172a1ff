import FileWriting
import Synchronization
import UserScan

/// How far a scan is: in memory after each user, in the file that `--resume` names once a second, at the end of a page
/// and when the scan is stopped. The file is replaced as a whole, so that it holds one place or another.
final class ScanFile: Sendable {
  private struct State {
    var place: ScanPlace
    /// What the file holds, and since when, in nanoseconds.
    var written: (place: ScanPlace, at: Int64)?
    var failure: WritingFailure?
  }

  private let path: String?
  private let state: Mutex<State>

  private static let largest = 64 << 20

  /// - Parameter path: `nil`: nothing is kept.
  init(at path: String?, from place: ScanPlace) {
    self.path = path
    state = Mutex(State(place: place))
  }

  /// The place that a file holds; `nil` when there is no file.
  static func place(at path: String) throws(CommandFailure) -> ScanPlace? {
    let bytes: [UInt8]?
    do throws(WritingFailure) {
      bytes = try folder(of: path).read(path.namePart, limit: largest)
    } catch {
      throw CommandFailure(.bad, error.message)
    }
    guard let bytes else { return nil }
    guard let place = ScanPlace(bytes) else {
      throw CommandFailure(
        .bad, "\(path): this is no place of a scan; name another file, or one that is not there")
    }
    return place
  }

  private static func folder(of path: String) throws(WritingFailure) -> WritableFolder {
    try WritableFolder(path.folderPart, creating: false, followingLinks: true)
  }

  var place: ScanPlace { state.withLock { $0.place } }

  /// - Parameter now: nanoseconds.
  func keep(_ place: ScanPlace, at now: Int64) {
    let isDue = state.withLock { state in
      state.place = place
      guard let written = state.written else { return true }
      return now - written.at >= 1_000_000_000 || place.isAtPageStart
    }
    if isDue { write(at: now) }
  }

  /// Writes what is not written yet, or takes the file of a scan away that is complete.
  func finish() throws(CommandFailure) {
    guard let path else { return }
    do throws(WritingFailure) {
      if place.isComplete {
        try Self.folder(of: path).remove(path.namePart)
      } else {
        write(at: 0)
        if let failure = state.withLock({ $0.failure }) { throw failure }
      }
    } catch {
      throw CommandFailure(.bad, "the place of the scan cannot be kept: \(error.message)")
    }
  }

  /// A place that could not be written is tried again with the next one; the last one says so.
  private func write(at now: Int64) {
    guard let path else { return }
    state.withLock { state in
      guard state.written?.place != state.place else { return }
      do throws(WritingFailure) {
        var file = try NewFile(path.namePart, in: Self.folder(of: path))
        try file.write(state.place.json)
        try file.finish()
        state.written = (state.place, now)
        state.failure = nil
      } catch {
        state.failure = error
      }
    }
  }
}

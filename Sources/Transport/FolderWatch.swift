internal import CLibevent
internal import Glibc

/// Tells on a loop when entries of folders change: are written and closed, made, removed, renamed, or given another mode.
/// It says that something has changed and not what: whoever asks looks for itself.
///
/// `@unchecked Sendable`: it is touched only by its loop's thread.
package final class FolderWatch: @unchecked Sendable {
  private let descriptor: Int32
  private var event: OpaquePointer?
  private let changed: () -> Void
  /// What counts in each folder, by the kernel's number for its watch; empty: all entries.
  private var names: [Int32: Set<String>] = [:]

  /// - Parameter changed: called on the loop for each batch of changes.
  package init(on loop: EventLoop, changed: @escaping () -> Void) throws(TransportError) {
    self.changed = changed
    descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else { throw .system(call: "inotify_init1", errno: errno) }
    event = event_new(
      loop.base, descriptor, Int16(EV_READ | EV_PERSIST),
      { _, _, context in
        guard let context else { return }
        Unmanaged<FolderWatch>.fromOpaque(context).takeUnretainedValue().readEvents()
      }, Unmanaged.passUnretained(self).toOpaque())
    event_add(event, nil)
  }

  deinit {
    if let event { event_free(event) }
    close(descriptor)
  }

  /// Watches these from now on, and nothing else.
  /// - Parameter folders: with the names that count in each; none: all.
  /// - Returns: the folders that cannot be watched.
  package func follow(_ folders: [String: Set<String>]) -> [String] {
    let former = Set(names.keys)
    names = [:]
    var failed: [String] = []
    for (folder, wanted) in folders.sorted(by: { $0.key < $1.key }) {
      let watch = inotify_add_watch(descriptor, folder, Self.mask)
      guard watch >= 0 else {
        // One that is not there is told by its name in the folder above.
        if errno != ENOENT { failed.append(folder) }
        continue
      }
      // Two paths of one folder are one watch.
      if let known = names[watch] {
        names[watch] = known.isEmpty || wanted.isEmpty ? [] : known.union(wanted)
      } else {
        names[watch] = wanted
      }
    }
    for watch in former.subtracting(names.keys) { inotify_rm_watch(descriptor, watch) }
    return failed
  }

  private static let mask =
    UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_CREATE)
    | UInt32(IN_DELETE) | UInt32(IN_ATTRIB) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
    | UInt32(IN_ONLYDIR)

  private func readEvents() {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var isOurs = false
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      buffer.withUnsafeBytes { bytes in
        var place = 0
        while let event = Event(bytes, at: place, end: count) {
          if counts(event) { isOurs = true }
          place += event.length
        }
      }
    }
    if isOurs { changed() }
  }

  private func counts(_ event: Event) -> Bool {
    // Some were lost, so anything may have changed.
    if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
    guard event.mask & UInt32(IN_IGNORED) == 0, let wanted = names[event.watch] else { return false }
    return wanted.isEmpty || event.name.isEmpty || wanted.contains(event.name)
  }

  /// `inotify_event`
  private struct Event {
    let watch: Int32
    let mask: UInt32
    /// Empty when it is about the folder itself.
    let name: String
    let length: Int

    init?(_ bytes: UnsafeRawBufferPointer, at place: Int, end: Int) {
      guard place + 16 <= end else { return nil }
      watch = bytes.loadUnaligned(fromByteOffset: place, as: Int32.self)
      mask = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
      length = 16 + Int(bytes.loadUnaligned(fromByteOffset: place + 12, as: UInt32.self))
      guard place + length <= end else { return nil }
      name = String(decoding: bytes[(place + 16)..<(place + length)].prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

internal import Admin
internal import Configuration
internal import Logging
internal import Primitives
internal import Threads
internal import Transport

/// Reloads when the files that the last load has read are others (`reload.watch`).
///
/// `@unchecked Sendable`: everything that changes is touched only by the first loop's thread.
final class FileFollower: @unchecked Sendable {
  private let loop: EventLoop
  private let logger: Logger
  private var watch: FolderWatch?
  private var settling = Settling()
  private var loaded = LoadedFiles()
  private var isLooking = false

  init(on loop: EventLoop, _ logger: Logger) {
    self.loop = loop
    self.logger = logger
  }

  /// To be called on the loop, once.
  /// - Parameter reload: asked for when something has changed.
  func start(reload: @escaping @Sendable () async -> Void) {
    loop.onTick { [self] in
      guard !isLooking, settling.isDue(now: loop.turnBegan) else { return }
      isLooking = true
      // Before looking: of a folder that was exchanged the new one is watched.
      arm()
      loop.spawn { [self] in
        if await differ() { await reload() }
        isLooking = false
      }
    }
  }

  /// From now on it is about these files. To be called on the loop, after each load.
  func follow(_ files: LoadedFiles, isWanted: Bool) {
    guard isWanted else {
      watch = nil
      return
    }
    loaded = files
    do throws(TransportError) {
      if watch == nil { watch = try makeWatch() }
    } catch {
      logger.warning("files cannot be watched; reload by SIGHUP", metadata: ["problem": "\(error)"])
    }
    arm()
    // What changed between the load and the watch shows by looking.
    settling.changed(now: loop.turnBegan)
  }

  private func arm() {
    guard let watch else { return }
    let folders = WatchedFolders(files: loaded.files.keys, folders: loaded.folders.keys)
    for folder in watch.follow(folders.names) {
      logger.warning("a folder cannot be watched", metadata: ["folder": "\(folder)"])
    }
  }

  private func makeWatch() throws(TransportError) -> FolderWatch {
    try FolderWatch(on: loop) { [unowned self] in settling.changed(now: loop.turnBegan) }
  }

  /// Files are read on a thread of their own.
  private func differ() async -> Bool {
    await withUnsafeContinuation { continuation in
      let work: @Sendable () -> Void = { [loaded] in
        continuation.resume(returning: loaded.differ(from: DiskFiles()))
      }
      // Without a thread it is done here, and requests wait.
      if let thread = try? PosixThread(work) { thread.abandon() } else { work() }
    }
  }
}

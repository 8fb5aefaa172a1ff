package import AuditStore
internal import Glibc
internal import Synchronization

/// A directory in memory whose disk fails and forgets.
///
/// The fault model: an operation may fail. A failed write may have written a part, and a write may write only a part;
/// there may be no more space, also none for a new file. A failed removal or synchronisation of the directory may have
/// happened all the same. A failed synchronisation may have put the bytes on disk all the same, or may have lost
/// them: then they can still be read, but the system takes them for written, and no later synchronisation writes them
/// unless they are written again. A crash of the process keeps what was written and what the system believes of it, or
/// the system has forgotten what it lost. What a crash of the machine keeps of a file is in `ScriptedFile`; a name that
/// was made or removed since the directory was last synchronised may be there or not.
package final class ScriptedFileSystem: JournalFileSystem {
  fileprivate struct State {
    var files: [ScriptedFile] = []
    var isLocked = false
    var open: [Int32: Int] = [:]
    var nextDescriptor: Int32 = 100
    var entropy: SeededGenerator
    /// How many of a hundred operations fail.
    var faultPercent = 0
    /// A failure that was asked for.
    var next: Failure?
    /// How many bytes all files may hold.
    var capacity = Int.max / 2
    /// What a file that is written gets as its modification time.
    var now: Int64 = 0
    /// How many operations are done before the crash; then none has an effect. `nil`: no crash is near.
    var operationsLeft: Int?
    /// Descriptors whose synchronisation failed.
    var distrusted: Set<Int32> = []
    /// How often one of them was asked again.
    var repeatedSynchronizations = 0
    /// Descriptors whose writes go to the end.
    var appending: Set<Int32> = []
    /// Whether the directory was renamed.
    var isElsewhere = false
    /// What was asked and what came of it; `nil`: not kept.
    var trace: [String]?
  }

  fileprivate struct Failure {
    let operation: FileFault.Operation
    let name: String
    let isDone: Bool
  }

  private let state: Mutex<State>

  package init(seed: UInt64 = 0) { state = Mutex(State(entropy: SeededGenerator(seed: seed))) }

  private init(seed: UInt64, after former: State, files: [ScriptedFile]) {
    var state = State(files: files, entropy: SeededGenerator(seed: seed), now: former.now)
    state.trace = former.trace
    self.state = Mutex(state)
  }

  /// The next such operation fails.
  /// - Parameter isDone: whether it has happened all the same.
  package func failNext(_ operation: FileFault.Operation, of name: String, isDone: Bool) {
    state.withLock { $0.next = Failure(operation: operation, name: name, isDone: isDone) }
  }

  /// From now on so many of a hundred operations fail.
  package func fail(_ percent: Int) { state.withLock { $0.faultPercent = percent } }

  /// Leaves room for so many bytes more; `nil`: for any number.
  package func leaveRoom(_ bytes: Int?) {
    state.withLock { state in state.capacity = bytes.map { state.size + $0 } ?? Int.max / 2 }
  }

  /// Does so many operations more, and then none, until the crash.
  package func stop(after operations: Int) { state.withLock { $0.operationsLeft = operations } }

  /// Puts some of what was written on disk without being asked, as systems do every now and then.
  package func writeBack() {
    state.withLock { state in
      for index in state.files.indices where state.entropy.happens(50) { state.files[index].persist() }
      if state.entropy.happens(50) { state.persistNames() }
    }
  }

  /// What the files' modification times are taken from, in seconds.
  package var now: Int64 {
    get { state.withLock { $0.now } }
    set { state.withLock { $0.now = newValue } }
  }

  package var repeatedSynchronizations: Int { state.withLock { $0.repeatedSynchronizations } }

  package var openFiles: Int { state.withLock { $0.open.count } }

  /// What happened since `startTracing`.
  package var trace: [String] { state.withLock { $0.trace ?? [] } }

  /// The same, from the last time that it was taken on; `startTracing` comes first.
  package func takeTrace() -> [String] {
    state.withLock { state in
      guard let lines = state.trace else { return [] }
      state.trace = []
      return lines
    }
  }

  package func startTracing() { state.withLock { $0.trace = [] } }

  package func note(_ text: @autoclosure () -> String) {
    state.withLock { state in
      if state.trace != nil { state.trace?.append(text()) }
    }
  }

  package func bytes(of name: String) -> [UInt8]? {
    state.withLock { state in state.index(of: name).map { state.files[$0].bytes } }
  }

  /// What survives a loss of power for certain, of each file.
  package var contentsOnDisk: [[UInt8]] {
    state.withLock { state in
      state.files.filter { $0.hasDurableName && !$0.isRemoved }.map(\.durable)
    }
  }

  /// What the system has of each file, on disk or not.
  package var contents: [[UInt8]] {
    state.withLock { state in state.files.filter { !$0.isRemoved }.map(\.bytes) }
  }

  package func replace(_ name: String, with bytes: [UInt8]) {
    state.withLock { state in
      state.forget(name)
      state.files.append(ScriptedFile(name, onDisk: bytes, modified: state.now))
    }
  }

  package func delete(_ name: String) {
    state.withLock { state in state.forget(name) }
  }

  /// Somebody else removes a file while it is open.
  package func unlink(_ name: String) {
    state.withLock { state in
      if let index = state.index(of: name) { state.files[index].isRemoved = true }
    }
  }

  /// Somebody else gives a file another name while it is open.
  package func move(_ name: String, to newName: String) { state.withLock { $0.rename(name, to: newName) } }

  /// Somebody else puts another file in its place while it is open.
  package func exchange(_ name: String, with bytes: [UInt8]) {
    state.withLock { state in
      guard let index = state.index(of: name) else { return }
      state.files[index].isRemoved = true
      state.files.append(ScriptedFile(name, onDisk: bytes, modified: state.now))
    }
  }

  /// Somebody else changes a file's length while it is open.
  package func cut(_ name: String, to size: Int) {
    state.withLock { state in
      if let index = state.index(of: name) { state.files[index].truncate(to: size) }
    }
  }

  /// The directory was renamed, or has its name again.
  package func moveDirectory(away: Bool) { state.withLock { $0.isElsewhere = away } }

  /// What the next process finds when this one is killed.
  package func afterKill(seed: UInt64) -> ScriptedFileSystem {
    var entropy = SeededGenerator(seed: seed)
    return state.withLock { state in
      let left = state.files.filter { !$0.isRemoved || $0.hasDurableName }.map { file in
        var file = file
        if entropy.happens(30) { file.evict() }
        return file
      }
      return ScriptedFileSystem(seed: seed &+ 1, after: state, files: left)
    }
  }

  /// What is found when the machine lost power.
  package func afterPowerLoss(seed: UInt64) -> ScriptedFileSystem {
    var entropy = SeededGenerator(seed: seed)
    return state.withLock { state in
      var survivors: [ScriptedFile] = []
      for file in state.files where file.hasDurableName || !file.isRemoved {
        // Of one name, the former file or the one that replaced it is there.
        guard file.hasDurableName != file.isRemoved || file.isReplaced || entropy.happens(50) else {
          continue
        }
        survivors.removeAll { $0.name == file.name }
        survivors.append(file.surviving(&entropy))
      }
      return ScriptedFileSystem(seed: seed &+ 1, after: state, files: survivors)
    }
  }

  // MARK: JournalFileSystem

  package func names() throws(FileFault) -> [String] {
    try perform(.list, ".") { state in state.files.filter { !$0.isRemoved }.map(\.name) }
  }

  package func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    try perform(.open, name) { state throws(FileFault) in
      if state.index(of: name) == nil {
        guard mode != .read else { throw FileFault(.open, name, code: ENOENT) }
        guard state.room > 0 else { throw FileFault(.open, name, code: ENOSPC) }
        state.files.append(ScriptedFile(name, modified: state.now))
      }
      state.nextDescriptor += 1
      state.open[state.nextDescriptor] = state.index(of: name)
      if mode == .append { state.appending.insert(state.nextDescriptor) }
      return OpenFile(descriptor: state.nextDescriptor)
    }
  }

  package func size(_ file: OpenFile) throws(FileFault) -> Int {
    try perform(.size, file) { state, index in state.files[index].bytes.count }
  }

  package func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(FileFault)
    -> Int
  {
    try perform(.read, file) { state, index in
      state.files[index].bytes.withUnsafeBytes { bytes in
        let count = min(buffer.count, bytes.count - offset)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
        return count
      }
    }
  }

  package func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault)
    -> Int
  {
    try perform(
      .write, file,
      whenItFails: { state, index in
        let part = Int.random(in: 0...bytes.count, using: &state.entropy)
        _ = state.write(bytes, part, at: state.place(offset, file, index), to: index)
      },
      { state, index throws(FileFault) in
        let isShort = state.faultPercent > 0 && state.entropy.happens(10)
        let wanted = isShort ? Int.random(in: 1...bytes.count, using: &state.entropy) : bytes.count
        let part = state.write(bytes, wanted, at: state.place(offset, file, index), to: index)
        guard part > 0 else { throw FileFault(.write, state.files[index].name, code: ENOSPC) }
        return part
      })
  }

  package func synchronize(_ file: OpenFile) throws(FileFault) {
    try perform(
      .synchronize, file,
      whenItFails: { state, index in
        state.noteSynchronization(file)
        state.distrusted.insert(file.descriptor)
        if state.isFailureDone() { state.files[index].persist() } else { state.files[index].lose() }
      },
      { state, index in
        state.noteSynchronization(file)
        state.files[index].persist()
      })
  }

  package func truncate(_ file: OpenFile, to size: Int) throws(FileFault) {
    try perform(.truncate, file) { state, index in state.files[index].truncate(to: size) }
  }

  package func synchronizeDirectory() throws(FileFault) {
    try perform(
      .synchronize, ".",
      whenItFails: { state in
        if state.isFailureDone() { state.persistNames() }
      }, { state in state.persistNames() })
  }

  package func remove(_ name: String) throws(FileFault) {
    try perform(
      .remove, name,
      whenItFails: { state in
        if let index = state.index(of: name), state.isFailureDone() { state.files[index].isRemoved = true }
      },
      { state throws(FileFault) in
        guard let index = state.index(of: name) else { throw FileFault(.remove, name, code: ENOENT) }
        // Its place stays, because open files are known by it.
        state.files[index].isRemoved = true
      })
  }

  package func rename(_ name: String, to newName: String) throws(FileFault) {
    try perform(
      .rename, name,
      whenItFails: { state in
        if state.isFailureDone() { state.rename(name, to: newName) }
      },
      { state throws(FileFault) in
        guard state.index(of: name) != nil else { throw FileFault(.rename, name, code: ENOENT) }
        state.rename(name, to: newName)
      })
  }

  package func modificationTime(_ name: String) throws(FileFault) -> Int64 {
    try perform(.size, name) { state throws(FileFault) in
      guard let index = state.index(of: name) else { throw FileFault(.size, name, code: ENOENT) }
      return state.files[index].modified
    }
  }

  package func identity(_ file: OpenFile) throws(FileFault) -> FileIdentity {
    try perform(.size, file) { _, index in FileIdentity(device: 1, number: UInt64(index)) }
  }

  package func place(of name: String) -> FilePlace { FilePlace(name: name, path: name) }

  package func find(_ place: FilePlace) throws(FileFault) -> FoundFile? {
    try perform(.find, place.name) { state in
      guard !state.isElsewhere else { return nil }
      return state.index(of: place.name).map {
        FoundFile(
          identity: FileIdentity(device: 1, number: UInt64($0)), size: state.files[$0].bytes.count)
      }
    }
  }

  package func isInPlace() throws(FileFault) -> Bool {
    try perform(.find, ".") { state in !state.isElsewhere }
  }

  package func freeBytes() throws(FileFault) -> Int { try perform(.space, ".") { state in state.room } }

  package func close(_ file: OpenFile) { state.withLock { $0.open[file.descriptor] = nil } }

  package func lock() throws(FileFault) -> Bool {
    state.withLock { state in
      defer { state.isLocked = true }
      return !state.isLocked
    }
  }

  package func unlock() { state.withLock { $0.isLocked = false } }

  private func perform<R: Sendable>(
    _ operation: FileFault.Operation, _ file: OpenFile, whenItFails: (inout State, Int) -> Void = { _, _ in },
    _ body: (inout State, Int) throws(FileFault) -> R
  ) throws(FileFault) -> R {
    guard let (index, name) = state.withLock({ $0.openFile(file) }) else {
      throw FileFault(operation, "", code: EBADF)
    }
    return try perform(
      operation, name, whenItFails: { whenItFails(&$0, index) },
      { state throws(FileFault) in try body(&state, index) })
  }

  private func perform<R: Sendable>(
    _ operation: FileFault.Operation, _ name: String, whenItFails: (inout State) -> Void = { _ in },
    _ body: (inout State) throws(FileFault) -> R
  ) throws(FileFault) -> R {
    let result: Result<R, FileFault> = state.withLock { state in
      let failure = FileFault(operation, name, code: EIO)
      if let left = state.operationsLeft {
        guard left > 0 else { return .failure(failure) }
        state.operationsLeft = left - 1
      }
      let result: Result<R, FileFault>
      if state.isNextToFail(operation, name) || state.entropy.happens(state.faultPercent) {
        whenItFails(&state)
        state.next = nil
        result = .failure(failure)
      } else {
        do throws(FileFault) {
          result = .success(try body(&state))
        } catch {
          result = .failure(error)
        }
      }
      if state.trace != nil { state.trace?.append("  \(operation.rawValue) \(name): \(result)") }
      return result
    }
    return try result.get()
  }
}

extension ScriptedFileSystem.State {
  var size: Int { files.reduce(0) { $0 + ($1.isRemoved ? 0 : $1.bytes.count) } }

  var room: Int { max(0, capacity - size) }

  func index(of name: String) -> Int? { files.firstIndex { $0.name == name && !$0.isRemoved } }

  /// Removes whatever has that name, also what a crash could bring back. The list keeps its places: whoever has a file
  /// open goes on with it.
  mutating func forget(_ name: String) {
    for index in files.indices where files[index].name == name {
      files[index].isRemoved = true
      files[index].hasDurableName = false
    }
  }

  mutating func rename(_ name: String, to newName: String) {
    guard let index = index(of: name) else { return }
    if let former = self.index(of: newName) {
      files[former].isRemoved = true
      files[former].isReplaced = true
    }
    files[index].name = newName
    files[index].hasDurableName = false
  }

  func place(_ offset: Int, _ file: OpenFile, _ index: Int) -> Int {
    appending.contains(file.descriptor) ? files[index].bytes.count : offset
  }

  func openFile(_ file: OpenFile) -> (Int, String)? {
    open[file.descriptor].map { ($0, files[$0].name) }
  }

  func isNextToFail(_ operation: FileFault.Operation, _ name: String) -> Bool {
    next?.operation == operation && next?.name == name
  }

  mutating func isFailureDone() -> Bool { next?.isDone ?? entropy.happens(50) }

  mutating func persistNames() {
    for index in files.indices { files[index].hasDurableName = !files[index].isRemoved }
  }

  mutating func noteSynchronization(_ file: OpenFile) {
    if distrusted.contains(file.descriptor) { repeatedSynchronizations += 1 }
  }

  /// - Returns: for how many of the `wanted` bytes there was room.
  mutating func write(_ bytes: UnsafeRawBufferPointer, _ wanted: Int, at offset: Int, to index: Int) -> Int {
    let part = max(0, min(wanted, files[index].bytes.count + room - offset))
    files[index].write(UnsafeRawBufferPointer(rebasing: bytes[..<part]), at: offset)
    if part > 0 { files[index].modified = now }
    return part
  }
}

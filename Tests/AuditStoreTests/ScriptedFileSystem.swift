import Glibc
import Synchronization

@testable import AuditStore

/// SplitMix64: the same numbers in every run.
struct SeededEntropy: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  mutating func happens(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// A directory in memory whose disk fails and forgets.
///
/// The fault model: an operation may fail; a failed write may have written a part, and a write may write only a part;
/// there may be no more space. A failed synchronisation may have put the bytes on disk all the same, or may have lost
/// them: then they can still be read, but the system takes them for written, and no later synchronisation writes them
/// unless they are written again. A crash of the process keeps what was written, and what the system believes of it. A
/// crash of the machine keeps, of each sector that was written after the last synchronisation, the old content, the new,
/// or, in new space, zeros; a size that was never synchronised may be the old or the new; a name that was made or removed
/// since the directory was last synchronised may be there or not.
final class ScriptedFileSystem: JournalFileSystem {
  struct File: Sendable {
    var name: String
    var bytes: [UInt8] = []
    /// What survives a crash of the machine for certain.
    var durable: [UInt8] = []
    var hasDurableName = false
    /// Removed, but until the directory is synchronised a crash of the machine may bring it back.
    var isRemoved = false
    /// Sectors that the system takes for written and that are not on disk.
    var lost: Set<Int> = []
    /// In seconds.
    var modified: Int64 = 0
    var isLocked = false
  }

  fileprivate struct State {
    var files: [File] = []
    var open: [Int32: Int] = [:]
    var nextDescriptor: Int32 = 100
    var entropy: SeededEntropy
    /// How many of a hundred operations fail.
    var faultPercent = 0
    /// How many bytes all files may hold.
    var capacity = Int.max / 2
    /// What a file that is written gets as its modification time.
    var now: Int64 = 0
    /// Descriptors whose synchronisation failed.
    var distrusted: Set<Int32> = []
    /// How often one of them was asked again.
    var repeatedSynchronizations = 0
  }

  fileprivate static let sector = 512
  private let state: Mutex<State>

  init(seed: UInt64 = 0, files: [File] = [], now: Int64 = 0) {
    state = Mutex(State(files: files, entropy: SeededEntropy(seed: seed), now: now))
  }

  func fail(_ percent: Int) { state.withLock { $0.faultPercent = percent } }

  /// Leaves room for so many bytes more; `nil`: for any number.
  func leaveRoom(_ bytes: Int?) {
    state.withLock { state in state.capacity = bytes.map { state.size + $0 } ?? Int.max / 2 }
  }

  /// What the files' modification times are taken from, in seconds.
  var now: Int64 {
    get { state.withLock { $0.now } }
    set { state.withLock { $0.now = newValue } }
  }

  var repeatedSynchronizations: Int { state.withLock { $0.repeatedSynchronizations } }

  var openFiles: Int { state.withLock { $0.open.count } }

  func bytes(of name: String) -> [UInt8]? {
    state.withLock { state in state.index(of: name).map { state.files[$0].bytes } }
  }

  func replace(_ name: String, with bytes: [UInt8]) {
    state.withLock { state in
      state.files.removeAll { $0.name == name }
      state.files.append(File(name: name, bytes: bytes, durable: bytes, hasDurableName: true))
    }
  }

  func delete(_ name: String) {
    state.withLock { state in state.files.removeAll { $0.name == name } }
  }

  /// What the next process finds when this one is killed.
  func afterKill(seed: UInt64) -> ScriptedFileSystem {
    let (files, now) = state.withLock { ($0.files, $0.now) }
    let left = files.filter { !$0.isRemoved || $0.hasDurableName }.map { file in
      var file = file
      file.isLocked = false
      return file
    }
    return ScriptedFileSystem(seed: seed, files: left, now: now)
  }

  /// What is found when the machine lost power.
  func afterPowerLoss(seed: UInt64) -> ScriptedFileSystem {
    var entropy = SeededEntropy(seed: seed)
    var survivors: [File] = []
    let (files, now) = state.withLock { ($0.files, $0.now) }
    for file in files where file.hasDurableName != file.isRemoved || entropy.happens(50) {
      guard file.hasDurableName || !file.isRemoved else { continue }
      let bytes = Self.survivingBytes(of: file, &entropy)
      survivors.append(
        File(name: file.name, bytes: bytes, durable: bytes, hasDurableName: true, modified: file.modified))
    }
    return ScriptedFileSystem(seed: seed &+ 1, files: survivors, now: now)
  }

  private static func survivingBytes(of file: File, _ entropy: inout SeededEntropy) -> [UInt8] {
    var bytes = entropy.happens(50) ? file.bytes : file.durable
    guard file.bytes != file.durable else { return bytes }
    for start in stride(from: 0, to: bytes.count, by: sector) {
      let range = start..<min(start + sector, bytes.count)
      let keepsOld = entropy.happens(50)
      let isNew = !keepsOld && !file.lost.contains(start / sector) && range.upperBound <= file.bytes.count
      bytes.replaceSubrange(range, with: isNew ? Array(file.bytes[range]) : file.onDisk(range))
    }
    return bytes
  }

  // MARK: JournalFileSystem

  func names() throws(FileFault) -> [String] {
    state.withLock { $0.files.filter { !$0.isRemoved }.map(\.name) }
  }

  func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    try perform(.open, name) { state in
      if state.index(of: name) == nil {
        guard mode == .write else { return nil }
        state.files.append(File(name: name, modified: state.now))
      }
      let index = state.index(of: name)
      state.nextDescriptor += 1
      state.open[state.nextDescriptor] = index
      return OpenFile(descriptor: state.nextDescriptor)
    }
  }

  func size(_ file: OpenFile) throws(FileFault) -> Int {
    try onFile(.size, file, canFail: false) { $0.bytes.count }
  }

  func read(_ file: OpenFile, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(FileFault)
    -> Int
  {
    try onFile(.read, file, canFail: false) { file in
      let count = min(buffer.count, file.bytes.count - offset)
      guard count > 0 else { return 0 }
      file.bytes.withUnsafeBytes { bytes in
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
      }
      return count
    }
  }

  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int {
    let (wanted, fails, room, now) = state.withLock { state in
      let fails = state.entropy.happens(state.faultPercent)
      // Without faults a write may be short, too.
      let isShort = fails || state.faultPercent > 0 && state.entropy.happens(10)
      let least = fails ? 0 : 1
      let wanted = isShort ? Int.random(in: least...bytes.count, using: &state.entropy) : bytes.count
      return (wanted, fails, max(0, state.capacity - state.size), state.now)
    }
    let part = try onFile(.write, file, canFail: false) { file in
      let part = max(0, min(wanted, file.bytes.count + room - offset))
      file.write(UnsafeRawBufferPointer(rebasing: bytes[..<part]), at: offset)
      if part > 0 { file.modified = now }
      return part
    }
    if fails { throw FileFault(.write, "", code: EIO) }
    if part == 0, wanted > 0 { throw FileFault(.write, "", code: ENOSPC) }
    return part
  }

  func synchronize(_ file: OpenFile) throws(FileFault) {
    let (persists, fails) = state.withLock { state in
      let fails = state.entropy.happens(state.faultPercent)
      if state.distrusted.contains(file.descriptor) { state.repeatedSynchronizations += 1 }
      if fails { state.distrusted.insert(file.descriptor) }
      return (!fails || state.entropy.happens(50), fails)
    }
    try onFile(.synchronize, file, canFail: false) { file in
      if persists { file.persist() } else { file.lose() }
    }
    if fails { throw FileFault(.synchronize, "", code: EIO) }
  }

  func truncate(_ file: OpenFile, to size: Int) throws(FileFault) {
    try onFile(.truncate, file, canFail: true) { file in
      if size < file.bytes.count { file.bytes.removeLast(file.bytes.count - size) }
      file.bytes.append(contentsOf: [UInt8](repeating: 0, count: size - file.bytes.count))
      file.lost = file.lost.filter { $0 * Self.sector < size }
    }
  }

  func synchronizeDirectory() throws(FileFault) {
    let fails = state.withLock { state in
      let fails = state.entropy.happens(state.faultPercent)
      if !fails || state.entropy.happens(50) {
        for index in state.files.indices { state.files[index].hasDurableName = !state.files[index].isRemoved }
      }
      return fails
    }
    if fails { throw FileFault(.synchronize, ".", code: EIO) }
  }

  func remove(_ name: String) throws(FileFault) {
    try perform(.remove, name) { state in
      // Its place stays, because open files are known by it.
      state.index(of: name).map { state.files[$0].isRemoved = true }
    }
  }

  func modificationTime(_ name: String) throws(FileFault) -> Int64 {
    try perform(.size, name) { state in state.index(of: name).map { state.files[$0].modified } }
  }

  func close(_ file: OpenFile) { state.withLock { $0.open[file.descriptor] = nil } }

  func lock(_ file: OpenFile) throws(FileFault) -> Bool {
    try onFile(.lock, file, canFail: false) { file in
      defer { file.isLocked = true }
      return !file.isLocked
    }
  }

  private func perform<R: Sendable>(
    _ operation: FileFault.Operation, _ name: String, _ body: (inout State) -> R?
  ) throws(FileFault) -> R {
    let result: Result<R, FileFault> = state.withLock { state in
      guard !state.entropy.happens(state.faultPercent) else {
        return .failure(FileFault(operation, name, code: EIO))
      }
      return body(&state).map { .success($0) } ?? .failure(FileFault(operation, name, code: ENOENT))
    }
    return try result.get()
  }

  private func onFile<R: Sendable>(
    _ operation: FileFault.Operation, _ file: OpenFile, canFail: Bool, _ body: (inout File) -> R
  ) throws(FileFault) -> R {
    let result: Result<R, FileFault> = state.withLock { state in
      guard let index = state.open[file.descriptor] else {
        return .failure(FileFault(operation, "", code: EBADF))
      }
      guard !canFail || !state.entropy.happens(state.faultPercent) else {
        return .failure(FileFault(operation, state.files[index].name, code: EIO))
      }
      return .success(body(&state.files[index]))
    }
    return try result.get()
  }
}

extension ScriptedFileSystem.State {
  var size: Int { files.reduce(0) { $0 + ($1.isRemoved ? 0 : $1.bytes.count) } }

  func index(of name: String) -> Int? { files.firstIndex { $0.name == name && !$0.isRemoved } }
}

extension ScriptedFileSystem.File {
  private static var sector: Int { ScriptedFileSystem.sector }

  mutating func write(_ content: UnsafeRawBufferPointer, at offset: Int) {
    guard !content.isEmpty else { return }
    let end = offset + content.count
    if bytes.count < end { bytes.append(contentsOf: [UInt8](repeating: 0, count: end - bytes.count)) }
    bytes.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<end]).copyMemory(from: content)
    }
    if !lost.isEmpty { lost.subtract(offset / Self.sector...(end - 1) / Self.sector) }
  }

  /// What is on disk of a part for certain; zeros where nothing is.
  func onDisk(_ range: Range<Int>) -> [UInt8] {
    let known = Array(durable[min(range.lowerBound, durable.count)..<min(range.upperBound, durable.count)])
    return known + [UInt8](repeating: 0, count: range.count - known.count)
  }

  mutating func persist() {
    var persisted = bytes
    for number in lost {
      let range = number * Self.sector..<min((number + 1) * Self.sector, bytes.count)
      persisted.replaceSubrange(range, with: onDisk(range))
    }
    durable = persisted
  }

  /// What was to be written counts as written and is not.
  mutating func lose() {
    for start in stride(from: 0, to: bytes.count, by: Self.sector) {
      let range = start..<min(start + Self.sector, bytes.count)
      let isOnDisk = range.upperBound <= durable.count && bytes[range] == durable[range]
      if !isOnDisk { lost.insert(start / Self.sector) }
    }
  }
}

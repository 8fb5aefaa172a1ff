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
/// The fault model: an operation may fail; a failed write may have written a part, and a write may write only a part; a
/// failed synchronisation may or may not have put the bytes on disk, and the file does not know. A crash of the process
/// keeps what was written. A crash of the machine keeps, of each sector that was written after the last synchronisation,
/// the old content, the new, or, in new space, zeros; a size that was never synchronised may be the old or the new.
final class ScriptedFileSystem: JournalFileSystem {
  struct File: Sendable {
    var name: String
    var bytes: [UInt8] = []
    /// What survives a crash of the machine for certain.
    var durable: [UInt8] = []
    var hasDurableName = false
  }

  private struct State {
    var isLocked = false
    var files: [File] = []
    var open: [Int32: Int] = [:]
    var nextDescriptor: Int32 = 100
    var entropy: SeededEntropy
    /// How many of a hundred operations fail.
    var faultPercent = 0
    /// Descriptors whose synchronisation failed.
    var distrusted: Set<Int32> = []
    /// How often one of them was asked again.
    var repeatedSynchronizations = 0
  }

  private static let sector = 512
  private let state: Mutex<State>

  init(seed: UInt64 = 0, files: [File] = []) {
    state = Mutex(State(files: files, entropy: SeededEntropy(seed: seed)))
  }

  func fail(_ percent: Int) { state.withLock { $0.faultPercent = percent } }

  var repeatedSynchronizations: Int { state.withLock { $0.repeatedSynchronizations } }

  var openFiles: Int { state.withLock { $0.open.count } }

  func bytes(of name: String) -> [UInt8]? {
    state.withLock { state in state.files.first { $0.name == name }?.bytes }
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
    ScriptedFileSystem(
      seed: seed,
      files: state.withLock { $0.files }.map {
        File(name: $0.name, bytes: $0.bytes, durable: $0.durable, hasDurableName: $0.hasDurableName)
      })
  }

  /// What is found when the machine lost power.
  func afterPowerLoss(seed: UInt64) -> ScriptedFileSystem {
    var entropy = SeededEntropy(seed: seed)
    var survivors: [File] = []
    for file in state.withLock({ $0.files }) where file.hasDurableName || entropy.happens(50) {
      let bytes = Self.survivingBytes(of: file, &entropy)
      survivors.append(File(name: file.name, bytes: bytes, durable: bytes, hasDurableName: true))
    }
    return ScriptedFileSystem(seed: seed &+ 1, files: survivors)
  }

  private static func survivingBytes(of file: File, _ entropy: inout SeededEntropy) -> [UInt8] {
    var bytes = entropy.happens(50) ? file.bytes : file.durable
    for start in stride(from: 0, to: bytes.count, by: sector) {
      let range = start..<min(start + sector, bytes.count)
      let old = range.upperBound <= file.durable.count ? Array(file.durable[range]) : nil
      let new = range.upperBound <= file.bytes.count ? Array(file.bytes[range]) : nil
      let candidates = [
        old ?? (start >= file.durable.count ? [UInt8](repeating: 0, count: range.count) : new), new ?? old,
      ]
      if let content = candidates[entropy.happens(50) ? 0 : 1] { bytes.replaceSubrange(range, with: content) }
    }
    return bytes
  }

  // MARK: JournalFileSystem

  func names() throws(FileFault) -> [String] { state.withLock { $0.files.map(\.name) } }

  func open(_ name: String, _ mode: OpenMode) throws(FileFault) -> OpenFile {
    try perform(.open, name) { state in
      if !state.files.contains(where: { $0.name == name }) {
        guard mode == .write else { return nil }
        state.files.append(File(name: name))
      }
      let index = state.files.firstIndex { $0.name == name }
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
      let part = file.bytes[min(offset, file.bytes.count)..<min(offset + buffer.count, file.bytes.count)]
      buffer.copyBytes(from: part)
      return part.count
    }
  }

  func write(_ file: OpenFile, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileFault) -> Int {
    let (part, fails) = state.withLock { state in
      guard state.entropy.happens(state.faultPercent) else {
        // Without faults a write may be short, too.
        let isShort = state.faultPercent > 0 && state.entropy.happens(10)
        return (isShort ? Int.random(in: 1...bytes.count, using: &state.entropy) : bytes.count, false)
      }
      return (Int.random(in: 0...bytes.count, using: &state.entropy), true)
    }
    try onFile(.write, file, canFail: false) { file in
      if file.bytes.count < offset + part {
        file.bytes.append(contentsOf: [UInt8](repeating: 0, count: offset + part - file.bytes.count))
      }
      file.bytes.replaceSubrange(offset..<offset + part, with: bytes[..<part])
    }
    if fails { throw FileFault(.write, "", code: ENOSPC) }
    return part
  }

  func synchronize(_ file: OpenFile) throws(FileFault) {
    let (persists, fails) = state.withLock { state in
      let fails = state.entropy.happens(state.faultPercent)
      if state.distrusted.contains(file.descriptor) { state.repeatedSynchronizations += 1 }
      if fails { state.distrusted.insert(file.descriptor) }
      return (!fails || state.entropy.happens(50), fails)
    }
    try onFile(.synchronize, file, canFail: false) { if persists { $0.durable = $0.bytes } }
    if fails { throw FileFault(.synchronize, "", code: EIO) }
  }

  func truncate(_ file: OpenFile, to size: Int) throws(FileFault) {
    try onFile(.truncate, file, canFail: true) { file in
      if size < file.bytes.count { file.bytes.removeLast(file.bytes.count - size) }
      file.bytes.append(contentsOf: [UInt8](repeating: 0, count: size - file.bytes.count))
    }
  }

  func synchronizeDirectory() throws(FileFault) {
    try perform(.synchronize, ".") { state in
      for index in state.files.indices { state.files[index].hasDurableName = true }
      return ()
    }
  }

  func remove(_ name: String) throws(FileFault) {
    try perform(.remove, name) { state in
      state.files.removeAll { $0.name == name }
      return ()
    }
  }

  func modificationTime(_ name: String) throws(FileFault) -> Int64 { 0 }

  func close(_ file: OpenFile) { state.withLock { $0.open[file.descriptor] = nil } }

  func lock() throws(FileFault) -> Bool {
    state.withLock { state in
      defer { state.isLocked = true }
      return !state.isLocked
    }
  }

  func unlock() { state.withLock { $0.isLocked = false } }

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

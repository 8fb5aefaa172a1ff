internal import Glibc

/// A file in memory, and what is on disk of it.
///
/// A crash of the machine keeps, of each sector that was written after the last synchronisation, the old content, the
/// new, or, in new space, zeros; a size that was never synchronised may be the old or the new.
struct ScriptedFile: Sendable {
  var name: String
  private(set) var bytes: [UInt8]
  /// What survives a crash of the machine for certain.
  private(set) var durable: [UInt8]
  var hasDurableName: Bool
  /// Removed, but until the directory is synchronised a crash of the machine may bring it back.
  var isRemoved = false
  /// Removed because another file got its name.
  var isReplaced = false
  /// Sectors that the system takes for written and that are not on disk.
  private var lost: Set<Int> = []
  /// In seconds.
  var modified: Int64

  static let sector = 512

  /// One that is not on disk yet.
  init(_ name: String, modified: Int64) {
    self.init(name: name, bytes: [], hasDurableName: false, modified: modified)
  }

  /// One that is on disk.
  init(_ name: String, onDisk bytes: [UInt8], modified: Int64) {
    self.init(name: name, bytes: bytes, hasDurableName: true, modified: modified)
  }

  private init(name: String, bytes: [UInt8], hasDurableName: Bool, modified: Int64) {
    self.name = name
    self.bytes = bytes
    durable = bytes
    self.hasDurableName = hasDurableName
    self.modified = modified
  }

  mutating func write(_ content: UnsafeRawBufferPointer, at offset: Int) {
    guard !content.isEmpty else { return }
    let end = offset + content.count
    if bytes.count < end { bytes.append(contentsOf: [UInt8](repeating: 0, count: end - bytes.count)) }
    bytes.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<end]).copyMemory(from: content)
    }
    if !lost.isEmpty { lost.subtract(offset / Self.sector...(end - 1) / Self.sector) }
  }

  mutating func truncate(to size: Int) {
    if size < bytes.count { bytes.removeLast(bytes.count - size) }
    bytes.append(contentsOf: [UInt8](repeating: 0, count: size - bytes.count))
    lost = lost.filter { $0 * Self.sector < size }
  }

  /// Puts on disk what the system does not take for written already.
  mutating func persist() {
    var persisted = bytes
    for number in lost {
      let range = sectorRange(number * Self.sector)
      persisted.replaceSubrange(range, with: onDisk(range))
    }
    durable = persisted
  }

  /// What was to be put on disk counts as written and is not.
  mutating func lose() {
    for start in stride(from: 0, to: bytes.count, by: Self.sector) {
      let range = sectorRange(start)
      if !isOnDisk(range) { lost.insert(start / Self.sector) }
    }
  }

  /// The system forgets what it takes for written: from now on the disk's content is read.
  mutating func evict() {
    for number in lost {
      let range = sectorRange(number * Self.sector)
      bytes.replaceSubrange(range, with: onDisk(range))
    }
    lost = []
  }

  /// What a crash of the machine leaves.
  func surviving(_ entropy: inout SeededGenerator) -> ScriptedFile {
    var left = entropy.happens(50) ? bytes : durable
    if !isSame(bytes, durable) {
      for start in stride(from: 0, to: left.count, by: Self.sector) {
        let range = start..<min(start + Self.sector, left.count)
        let keepsOld = entropy.happens(50)
        let isNew = !keepsOld && !lost.contains(start / Self.sector) && range.upperBound <= bytes.count
        left.replaceSubrange(range, with: isNew ? Array(bytes[range]) : onDisk(range))
      }
    }
    return ScriptedFile(name, onDisk: left, modified: modified)
  }

  private func sectorRange(_ start: Int) -> Range<Int> { start..<min(start + Self.sector, bytes.count) }

  private func isOnDisk(_ range: Range<Int>) -> Bool {
    range.upperBound <= durable.count && isSame(Array(bytes[range]), Array(durable[range]))
  }

  /// What is on disk of a part for certain; zeros where nothing is.
  private func onDisk(_ range: Range<Int>) -> [UInt8] {
    let known = Array(durable[min(range.lowerBound, durable.count)..<min(range.upperBound, durable.count)])
    return known + [UInt8](repeating: 0, count: range.count - known.count)
  }
}

/// Debug builds compare arrays element by element, which takes half of a simulation's time.
package func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && memcmp(left, right, left.count) == 0
}

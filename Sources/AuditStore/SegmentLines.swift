internal import Glibc

/// Reads a segment line by line, in large pieces, with memory for one piece or one line, whichever is larger.
struct SegmentLines: ~Copyable {
  enum Item: Equatable {
    case line
    /// The file ends with that many bytes after its last line feed (0: with a whole line).
    case end(tornBytes: Int)
    /// No line feed within what a record may take.
    case tooLong
  }

  private let files: any JournalFileSystem
  private let file: OpenFile
  /// Memory of this value alone; pointers into it do not leave a call.
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  /// The part that is read and not yet given out.
  private var unread = 0..<0
  /// The line that was given out last.
  private var current = 0..<0
  /// Where the next line begins in the file.
  private(set) var offset: Int

  private let longestLine: Int
  /// Where the file is taken to end, if it is longer.
  private var limit: Int

  /// What is read first, and what is read at a time by those who read on: enough that a system call costs little of
  /// what is done with the lines.
  private static let firstPiece = 64 * 1024
  private static let piece = 256 * 1024
  /// Far more than the largest record: 50 tags of the greatest length, all escaped.
  static let longestRecord = 16 << 20

  init(
    _ name: String, in files: any JournalFileSystem, from offset: Int = 0, asLongAsNow: Bool = false,
    longestLine: Int = longestRecord
  ) throws(FileFault) {
    self.files = files
    self.longestLine = longestLine
    (file, limit) = try Self.open(name, in: files, asLongAsNow: asLongAsNow)
    capacity = Self.firstPiece
    base = .allocate(byteCount: capacity, alignment: 16)
    self.offset = offset
  }

  deinit { base.deallocate() }

  private static func open(_ name: String, in files: any JournalFileSystem, asLongAsNow: Bool)
    throws(FileFault) -> (OpenFile, Int)
  {
    let file = try files.open(name, .read)
    guard asLongAsNow else { return (file, .max) }
    do throws(FileFault) {
      return (file, try files.size(file))
    } catch {
      files.close(file)
      throw error
    }
  }

  /// Reads on in what the file has become longer since.
  mutating func followGrowth() { limit = .max }

  consuming func close() { files.close(file) }

  /// The line that `next` found last, without its line feed.
  var line: Span<UInt8> {
    @_lifetime(borrow self) get {
      // Within what was read, which lives as long as `self` and is not written while it is borrowed.
      let span = Span(
        _unsafeStart: UnsafePointer((base + current.lowerBound).assumingMemoryBound(to: UInt8.self)),
        count: current.count)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// The same with a closure, for those who look at few lines.
  mutating func next(_ body: (RawSpan) -> Void) throws(FileFault) -> Item {
    let item = try next()
    if item == .line { body(line.bytes) }
    return item
  }

  /// Goes to the next line, which `line` is then, if there is one.
  mutating func next() throws(FileFault) -> Item {
    var searched = 0
    while true {
      if let end = lineFeed(from: unread.lowerBound + searched) {
        current = unread.lowerBound..<end
        unread = end + 1..<unread.upperBound
        offset += current.count + 1
        return .line
      }
      searched = unread.count
      guard searched < longestLine else { return .tooLong }
      guard try fill() else { return .end(tornBytes: unread.count) }
    }
  }

  private func lineFeed(from start: Int) -> Int? {
    guard start < unread.upperBound,
      let found = memchr(base + start, 0x0A, unread.upperBound - start)
    else { return nil }
    return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
  }

  /// Reads more behind what is unread; `false` at the end of the file.
  private mutating func fill() throws(FileFault) -> Bool {
    let kept = unread.count
    if kept == capacity {
      grow(to: 2 * capacity)
    } else if capacity < Self.piece, unread.upperBound == capacity {
      grow(to: Self.piece)
    } else if unread.lowerBound > 0 {
      memmove(base, base + unread.lowerBound, kept)
    }
    (unread, current) = (0..<kept, 0..<0)
    let free = min(capacity - kept, limit - (offset + kept))
    guard free > 0 else { return false }
    let count = try files.read(
      file, at: offset + kept, into: UnsafeMutableRawBufferPointer(start: base + kept, count: free))
    unread = 0..<kept + count
    return count > 0
  }

  private mutating func grow(to newCapacity: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    larger.copyMemory(from: base + unread.lowerBound, byteCount: unread.count)
    base.deallocate()
    (base, capacity) = (larger, newCapacity)
  }
}

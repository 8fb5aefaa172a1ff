/// Bytes that are let go of in the order in which they came: one piece of memory that grows when it is full.
struct ByteRing: Sendable {
  /// Where some of them stand, counted from the first that ever came.
  struct Place: BitwiseCopyable {
    let start: UInt64
    let count: Int
    var end: UInt64 { start &+ UInt64(count) }
  }

  /// A power of two, or nothing.
  private var memory: [UInt8] = []
  private var start: UInt64 = 0
  private var end: UInt64 = 0

  private static let leastMemory = 4096

  var count: Int { Int(end &- start) }

  /// - Returns: where they stand.
  mutating func append(_ bytes: Span<UInt8>) -> Place {
    guard !bytes.isEmpty else { return Place(start: end, count: 0) }
    if count + bytes.count > memory.count { grow(by: bytes.count) }
    let place = Int(end & UInt64(memory.count - 1))
    let first = min(bytes.count, memory.count - place)
    memory.withUnsafeMutableBytes { memory in
      bytes.withUnsafeBytes { bytes in
        memory[place...].copyBytes(from: bytes[..<first])
        memory.copyBytes(from: bytes[first...])
      }
    }
    defer { end &+= UInt64(bytes.count) }
    return Place(start: end, count: bytes.count)
  }

  /// A copy of what stands at a place that has not been let go of.
  subscript(place: Place) -> [UInt8] {
    guard place.count > 0 else { return [] }
    precondition(place.start >= start && place.end <= end, "reading inside the ring")
    let mask = UInt64(memory.count - 1)
    let from = Int(place.start & mask)
    let first = min(place.count, memory.count - from)
    return Array(memory[from..<from + first]) + memory[..<(place.count - first)]
  }

  /// Lets go of all that stands before a place's end.
  mutating func dropFirst(through place: Place) {
    start = max(start, place.end)
    // A time of many or of long answers is over.
    if start == end { memory = [] }
  }

  private mutating func grow(by more: Int) {
    var size = max(Self.leastMemory, memory.count)
    while size < count + more { size *= 2 }
    // Nobody reads what no append has written, so it need not be zero.
    var larger = [UInt8](unsafeUninitializedCapacity: size) { $1 = size }
    // In runs that neither memory breaks.
    var position = start
    while position < end {
      let (from, to) = (Int(position & UInt64(memory.count - 1)), Int(position & UInt64(size - 1)))
      let run = min(Int(end &- position), memory.count - from, size - to)
      larger.withUnsafeMutableBytes { larger in
        memory.withUnsafeBytes { larger[to...].copyBytes(from: $0[from..<from + run]) }
      }
      position &+= UInt64(run)
    }
    memory = larger
  }
}

/// A set of byte values that a pattern repeats.
struct ByteClass: OptionSet, BitwiseCopyable {
  let rawValue: UInt8

  static let digit = ByteClass(rawValue: 1)
  /// `[a-z0-9-.]`: a part of any ARN before its resource.
  static let arnPart = ByteClass(rawValue: 2)
  /// `[a-z0-9-]`: partition and region of an exact ARN.
  static let regionPart = ByteClass(rawValue: 4)
  /// `[a-z0-9-_]`
  static let appInstanceId = ByteClass(rawValue: 8)
  /// `[-_a-zA-Z0-9]`
  static let requestToken = ByteClass(rawValue: 16)
  /// Letters, digits and `:-_.@`.
  static let userId = ByteClass(rawValue: 32)
}

/// The classes of every byte in one table: a load and a test for each byte of a value, where comparisons would take
/// about ten.
struct ByteClasses: Sendable {
  private let table: ImmortalArray<UInt8>

  static let shared = ByteClasses()

  private init() {
    table = ImmortalArray(
      (0...255).map { (byte: UInt8) in
        let isLowerOrDigit = isLower(byte) || isDigit(byte)
        let isHyphen = byte == UInt8(ascii: "-")
        let isUnderscore = byte == UInt8(ascii: "_")
        var classes: ByteClass = []
        if isDigit(byte) { classes.insert(.digit) }
        if isLowerOrDigit || isHyphen || byte == UInt8(ascii: ".") { classes.insert(.arnPart) }
        if isLowerOrDigit || isHyphen { classes.insert(.regionPart) }
        if isLowerOrDigit || isHyphen || isUnderscore { classes.insert(.appInstanceId) }
        if isAlphanumeric(byte) || isHyphen || isUnderscore { classes.insert(.requestToken) }
        if isAlphanumeric(byte) || ":-_.@".utf8.contains(byte) { classes.insert(.userId) }
        return classes.rawValue
      })
  }

  /// The index of the first byte from `start` on that is not of the class; the end if there is none.
  @inline(__always)
  func end(of wanted: ByteClass, in value: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < value.count, self[value[unchecked: index]] & wanted.rawValue != 0 { index &+= 1 }
    return index
  }

  @inline(__always)
  func areAll(_ wanted: ByteClass, _ value: Span<UInt8>) -> Bool {
    end(of: wanted, in: value, from: 0) == value.count
  }

  /// There is an element for every byte.
  @inline(__always)
  private subscript(byte: UInt8) -> UInt8 { table[unchecked: Int(byte)] }
}

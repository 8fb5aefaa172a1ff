/// Objects in an order that never changes, each lent for the duration of a call without being counted.
///
/// Whoever takes an object out of an array retains and releases it, atomically, because the array could be written
/// meanwhile. This one cannot; it keeps its objects alive, and whoever asks it for one keeps it alive during the call.
@usableFromInline package struct LentObjects<Object: AnyObject & Sendable>: Sendable {
  private let owners: [Object]
  @usableFromInline let references: [Unmanaged<Object>]

  package init(_ objects: [Object]) {
    owners = objects
    references = objects.map { Unmanaged.passUnretained($0) }
  }

  /// The objects for those who keep them.
  package var array: [Object] { owners }
  @inlinable package var isEmpty: Bool { references.isEmpty }
  @inlinable package var indices: Range<Int> { Range(uncheckedBounds: (0, references.count)) }

  /// Traps outside the bounds.
  @inlinable @inline(__always)
  package func with<R>(_ index: Int, _ use: (Object) -> R) -> R {
    references[index]._withUnsafeGuaranteedRef(use)
  }
}

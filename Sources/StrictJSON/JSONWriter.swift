package import Primitives

/// Writes JSON in the order it is told, compact unless `pretty`.
package struct JSONWriter: ~Copyable {
  package private(set) var bytes: [UInt8]
  package init(into bytes: consuming [UInt8] = [], pretty: Bool = false) { self.bytes = bytes }

  package mutating func beginObject() {}
  package mutating func endObject() {}
  package mutating func beginArray() {}
  package mutating func endArray() {}
  /// A member's key that needs no escaping.
  package mutating func key(_ key: StaticString) {}
  package mutating func key(text: Text) {}
  package mutating func string(_ value: Text) {}
  package mutating func string(_ value: String) {}
  package mutating func integer(_ value: Int) {}
  package mutating func real(_ value: Double) {}
  package mutating func boolean(_ value: Bool) {}
  package mutating func null() {}
  /// A value that is JSON already.
  package mutating func raw(_ json: some Sequence<UInt8>) {}
}

internal import Configuration
package import Primitives

/// Tells policies apart by their names, where these are not at hand.
package struct PolicyHash: BitwiseCopyable, Hashable, Sendable {
  package let bits: UInt64

  /// FNV-1a.
  init(_ name: Text) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    bits = hash
  }
}

extension PolicySet {
  /// The policy that has it.
  package func name(of hash: PolicyHash) -> Text? {
    policies.lazy.map(\.document.name.value).first { PolicyHash($0) == hash }
  }
}

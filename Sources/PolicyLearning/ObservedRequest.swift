package import ChimeIdentity
package import Primitives

/// What a record tells of a request that was allowed, as far as rules can be about it.
package struct ObservedRequest: Sendable {
  package struct Tag: Sendable, Hashable {
    package let key: Text
    /// `nil`: the journal does not show it.
    package let value: Text?

    package init(_ key: Text, _ value: Text?) {
      self.key = key
      self.value = value
    }
  }

  package let operation: Operation
  package let tenant: Text
  package var appInstance: Text = ""
  package var userId: Text?
  /// `nil`: there is none, or it is not shown.
  package var name: Text?
  package var tags: [Tag] = []
  /// Those that policies in force added or changed.
  package var changedTags: [Tag] = []
  /// Those that UntagResource takes away.
  package var removedKeys: [Text] = []
  package var expirationDays: Int?
  /// What policies in force made of them.
  package var changedDays: Int?
  package var metadataBytes: Int?

  package init(_ operation: Operation, tenant: Text) {
    self.operation = operation
    self.tenant = tenant
  }
}

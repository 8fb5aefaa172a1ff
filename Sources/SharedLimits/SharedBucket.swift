/// One limit that a request is under, as the store is asked about it.
package struct SharedBucket: Sendable {
  package let key: StoreKey
  package let limit: SharedLimit
  /// Where the limit is the account's quota. Such a bucket is a request's last, and there is one at most.
  package let wish: QuotaWish?

  package init(_ key: StoreKey, _ limit: SharedLimit, _ wish: QuotaWish? = nil) {
    self.key = key
    self.limit = limit
    self.wish = wish
  }
}

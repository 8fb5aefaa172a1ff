internal import ChimeIdentity
internal import Patterns
internal import Primitives

/// The AppInstances that a tenant may use and whose ARNs are written out in full: a request that names one of them is
/// told from all others by one comparison, and its ARN need not be read.
final class KnownAppInstances: Sendable {
  /// More are not looked through one by one; their ARNs are read.
  private static let most = 16

  private let texts: TextPool
  /// Where in each the id stands.
  private let ids: [ByteSlice]

  /// - Parameter globs: `nil`: the tenant may use any.
  init(_ globs: [Glob]?) {
    var texts: [Text] = []
    var ids: [ByteSlice] = []
    for text in (globs ?? []).map(\.source) where texts.count < Self.most {
      // No exact ARN has a byte that a glob takes for a wildcard.
      guard let parts = ChimeARNParts(text.utf8.span), parts.resource == .appInstance else { continue }
      texts.append(text)
      ids.append(parts.appInstanceId)
    }
    self.texts = TextPool(texts)
    self.ids = ids
  }

  /// Where the id stands in an ARN that is one of these.
  func id(in arn: Span<UInt8>) -> ByteSlice? { texts.index(of: arn).map { ids[$0] } }
}

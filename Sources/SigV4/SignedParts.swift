internal import HTTPWire
internal import OpenSSLCrypto
internal import Primitives

/// The fields of a head that its signature is judged by: each there at most once, and readable.
struct SignedParts {
  let authorization: AuthorizationField
  /// X-Amz-Date as it stands; sixteen bytes.
  let date: Range<Int>
  let time: WallClockTime
  /// The UTC day of `time`, `20261123`.
  let day: Int
  let securityToken: Range<Int>?
  let contentSHA256: Range<Int>?

  init(_ head: RequestHead, dates: inout AmzDateReader) throws(AuthenticationFailure) {
    let found = try FoundFields(head)
    guard let authorization = found.authorization else { throw .missingAuthorization }
    do {
      self.authorization = try AuthorizationField(reading: authorization, of: head.span)
    } catch {
      throw .incomplete(error)
    }
    guard let date = found.date else { throw .incomplete(.dateMissing) }
    guard let read = dates.read(head.span.extracting(date)) else { throw .incomplete(.dateMalformed) }
    self.date = date
    (time, day) = read
    securityToken = found.securityToken
    contentSHA256 = found.contentSHA256
  }
}

private struct FoundFields {
  var authorization: Range<Int>?
  var host: Range<Int>?
  var date: Range<Int>?
  var securityToken: Range<Int>?
  var contentSHA256: Range<Int>?

  init(_ head: RequestHead) throws(AuthenticationFailure) {
    let fields = head.fields
    for index in fields.indices {
      let field = fields[index]
      switch field.known {
      case .authorization: try Self.set(&authorization, field, .authorization)
      case .host: try Self.set(&host, field, .host)
      case .amzDate: try Self.set(&date, field, .date)
      case .amzSecurityToken: try Self.set(&securityToken, field, .securityToken)
      case .amzContentSHA256: try Self.set(&contentSHA256, field, .contentSHA256)
      default: break
      }
    }
  }

  private static func set(
    _ slot: inout Range<Int>?, _ field: FieldLine, _ name: SingleField
  ) throws(AuthenticationFailure) {
    guard slot == nil else { throw .incomplete(.fieldGivenTwice(name)) }
    slot = field.value.range
  }
}

/// A set of the field names that the head parser recognises.
struct FieldNameSet: BitwiseCopyable, Sendable {
  private var bits: UInt64 = 0

  mutating func insert(_ name: FieldName) { bits |= Self.bit(name) }
  func contains(_ name: FieldName) -> Bool { bits & Self.bit(name) != 0 }

  private static func bit(_ name: FieldName) -> UInt64 {
    precondition(name.rawValue < 64, "one word holds every field name")
    return 1 << UInt64(name.rawValue)
  }
}

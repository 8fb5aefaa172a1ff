/// The limits of the service model that rules on users are compared with. Lengths are Unicode scalars.
package enum ModelLimits {
  package static let userID = range(of: .userId)
  package static let userName = range(of: .userName)
  package static let metadata = range(of: .metadata)
  package static let tagKey = range(of: .tagKey)
  package static let tagValue = range(of: .tagValue)
  package static let tagCount = range(of: .tagList)
  package static let expirationDays = range(of: .expirationDays)

  private static func range(of shape: ModelShape) -> ClosedRange<Int> {
    switch shape.kind {
    case .string(let string): string.length
    case .integer(let range): range
    case .list(let list): list.count
    // Nothing about these is counted.
    case .enumeration, .structure: 0...Int.max
    }
  }
}

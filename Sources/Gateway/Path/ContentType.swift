internal import Primitives
/// What a Content-Type says of a body that was evaluated as JSON in UTF-8.
enum ContentType {
  static let json = Array("application/json".utf8)

  /// Whether it says no more than that: `application/json`, or AWS's `application/x-amz-json-1.0` and `-1.1`, without
  /// parameters or with `charset=utf-8`. A reader that goes by any other could see another request in the same bytes.
  static func isJSON(_ value: Span<UInt8>) -> Bool {
    if value.holds(json.span) { return true }
    let text = String(decoding: value.array, as: UTF8.self).lowercased().filter { $0 != " " && $0 != "\"" }
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    return ["application/json", "application/x-amz-json-1.0", "application/x-amz-json-1.1"].contains(parts[0])
      && parts.dropFirst().allSatisfy { $0 == "charset=utf-8" }
  }
}

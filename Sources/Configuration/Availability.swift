/// What the configuration format has and this version does not: said plainly by `check`, never accepted in silence.
///
/// The one list of it; a feature that is built takes its line away here.
enum Availability {
  static let rateLimitStores = ["redis"]
  static func message(for what: String, accepted: String) -> String {
    "\(what) is not available in this version; accepted: \(accepted)"
  }
}

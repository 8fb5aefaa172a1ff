package import StrictJSON

extension JSONSyntaxError {
  /// Why a request's body is refused, for its sender.
  package var bodyMessage: String { "the body is not strict JSON: \(message), at byte \(offset)" }
}

package import SigV4

/// Why a source gives no credentials. Nothing of it shows a secret.
package enum CredentialFailure: Error, Hashable, Sendable {
  case problem(CredentialProblem)
  /// No source of the chain is there.
  case noSource
  case variable(String, expected: String)
  case profile(String, reason: String)
  case file(String, reason: String)
  case process(String)
  /// Whoever was asked cannot be reached, or not in time.
  case unreachable(String, reason: String)
  /// It answered that it gives none.
  case refused(String, status: Int, reason: String)
  /// What it answered is not what was asked for.
  case unreadable(String, reason: String)
  case ended(String)
  /// For a tenant's role: the gateway has none of its own.
  case noOwnCredentials
}

extension CredentialFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .problem(let problem): "\(problem)"
    case .noSource:
      "neither the environment nor a profile, a container or an instance gives any; expected one of them"
    case .variable(let name, let expected): "the environment variable `\(name)` is not \(expected)"
    case .profile(let name, let reason): "profile `\(name)`: \(reason)"
    case .file(let path, let reason): "cannot read `\(path)`: \(reason)"
    case .process(let reason): "the credential process \(reason)"
    case .unreachable(let who, let reason): "\(who) does not answer: \(reason)"
    case .refused(let who, let status, let reason):
      "\(who) answered \(status)\(reason.isEmpty ? "" : ": \(reason)")"
    case .unreadable(let who, let reason): "the answer of \(who) is not what was expected: \(reason)"
    case .ended(let who): "\(who) gave credentials that have already ended"
    case .noOwnCredentials: "the gateway has no credentials of its own to assume the role with"
    }
  }
}

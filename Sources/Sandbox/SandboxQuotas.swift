internal import ChimeIdentity

/// How many of each there may be: the quotas that AWS gives an account unless it asks for more ("Amazon Chime SDK Identity
/// quotas" of the AWS General Reference). AWS names none for bots.
struct SandboxQuotas: Sendable {
  var appInstances = 100
  var usersPerAppInstance = 100_000
  var adminsPerAppInstance = 100
  var endpointsPerUser = 10

  static let standard = SandboxQuotas()
  static let none = SandboxQuotas(
    appInstances: .max, usersPerAppInstance: .max, adminsPerAppInstance: .max, endpointsPerUser: .max)

  /// - Parameters:
  ///   - count: how many there are.
  ///   - things: what they are, in words: `users in an AppInstance`.
  static func require(_ count: Int, below most: Int, _ things: String) throws(SandboxFailure) {
    guard count < most else {
      throw SandboxFailure(.resourceLimitExceeded, "there are \(most) \(things) already, which is the most")
    }
  }
}

package import AuditReconciliation
internal import ChimeIdentity
package import Primitives
internal import StrictJSON

/// What a scan asks upstream. None of it changes anything there.
package protocol UserListing: UpstreamReading {
  /// One page of ListAppInstances.
  func listAppInstances(after token: Text?) async throws(UpstreamUnavailable) -> ReadAnswer
}

/// Why a scan cannot go on.
package struct ScanFailure: Error, Sendable {
  package let message: String

  package init(_ message: String) { self.message = message }
}

/// Reads users from upstream, one after the other, and holds them against policies.
package struct UserScanner {
  private let upstream: any UpstreamReading
  private let judge: UserJudge
  private let tenant: (Text) -> Text?
  private let show: (ScanFinding) -> Void
  private let warn: (String) -> Void
  private let keep: (ScanPlace) -> Void

  /// Users in a row of whom upstream tells nothing, until it is taken to be gone.
  private static let mostUnavailable = 3

  /// - Parameters:
  ///   - tenant: whose the user with this ARN is; `nil`: not known.
  ///   - show: takes each user with whom something is wrong.
  ///   - warn: takes what could not be read.
  ///   - keep: takes the place after each user.
  package init(
    upstream: any UpstreamReading, judge: UserJudge, tenant: @escaping (Text) -> Text?,
    show: @escaping (ScanFinding) -> Void, warn: @escaping (String) -> Void,
    keep: @escaping (ScanPlace) -> Void
  ) {
    self.upstream = upstream
    self.judge = judge
    self.tenant = tenant
    self.show = show
    self.warn = warn
    self.keep = keep
  }

  /// The ARNs of all AppInstances, in the order in which upstream lists them.
  package static func appInstances(of upstream: any UserListing) async throws(ScanFailure) -> [Text] {
    var found: [Text] = []
    var token: Text?
    repeat {
      let answer: ReadAnswer
      do {
        answer = try await upstream.listAppInstances(after: token)
      } catch {
        throw ScanFailure("upstream does not list its AppInstances: \(error.reason)")
      }
      guard case .found(let page) = answer, let list = page.member("AppInstances", of: page.root) else {
        throw ScanFailure("upstream does not list its AppInstances: \(answer.refusal)")
      }
      found += page.elements(list).compactMap { page.text("AppInstanceArn", of: $0) }
      token = try next(page, after: token, "AppInstances")
    } while token != nil
    return found
  }

  /// Goes on from a place to the end.
  package func run(from start: ScanPlace) async throws(ScanFailure) -> ScanTally {
    var place = start
    // Users in a row.
    var unavailable = 0
    while !place.isComplete { try await readPage(&place, &unavailable) }
    return place.tally
  }

  /// Where the next page begins; `nil` after the last.
  private static func next(
    _ page: JSONDocument, after token: Text?, _ what: String
  ) throws(ScanFailure) -> Text? {
    guard let next = page.text("NextToken", of: page.root), !next.isEmpty else { return nil }
    // Or it would never end.
    guard next != token else { throw ScanFailure("upstream's list of \(what) does not go on") }
    return next
  }

  private func readPage(_ place: inout ScanPlace, _ unavailable: inout Int) async throws(ScanFailure) {
    let app = place.appInstances[place.current]
    let answer: ReadAnswer
    do {
      answer = try await upstream.listUsers(of: app, after: place.token)
    } catch {
      throw ScanFailure("upstream does not list the users of \(app): \(error.reason)")
    }
    guard case .found(let page) = answer, let list = page.member("AppInstanceUsers", of: page.root) else {
      guard place.token == nil else {
        throw ScanFailure("upstream does not go on with the users of \(app): \(answer.refusal)")
      }
      warn("the users of \(app) cannot be listed: \(answer.refusal)")
      place.tally.unlisted += 1
      finishAppInstance(&place)
      return
    }
    let done = Set(place.done)
    for node in page.elements(list) {
      guard let arn = page.text("AppInstanceUserArn", of: node), !done.contains(arn) else { continue }
      try await read(arn, &place, &unavailable)
      place.done.append(arn)
      keep(place)
    }
    let next = try Self.next(page, after: place.token, "the users of \(app)")
    guard let next else { return finishAppInstance(&place) }
    place.token = next
    place.done = []
    keep(place)
  }

  private func finishAppInstance(_ place: inout ScanPlace) {
    place.current += 1
    place.token = nil
    place.done = []
    keep(place)
  }

  private func read(
    _ text: Text, _ place: inout ScanPlace, _ unavailable: inout Int
  ) async throws(ScanFailure) {
    do {
      switch try await user(text) {
      case .user(let user):
        let finding = judge.judge(user, of: tenant(text))
        place.tally.count(finding)
        if !finding.isClean { show(finding) }
      // It went between the list and the question.
      case .gone: break
      case .undisclosed(let reason): fail(text, reason, &place)
      }
      unavailable = 0
    } catch {
      unavailable += 1
      guard unavailable < Self.mostUnavailable else {
        throw ScanFailure("upstream tells nothing of users any more: \(error.reason)")
      }
      fail(text, error.reason, &place)
    }
  }

  private func fail(_ user: Text, _ reason: String, _ place: inout ScanPlace) {
    place.tally.failed += 1
    warn("\(user) cannot be read: \(reason)")
  }

  private enum Reading {
    case user(ScannedUser)
    case gone
    /// Upstream will not say; why.
    case undisclosed(String)
  }

  private func user(_ text: Text) async throws(UpstreamUnavailable) -> Reading {
    guard let arn = ChimeARN(text), arn.resource == .user else {
      return .undisclosed("this is no user's ARN")
    }
    let described = try await upstream.describeUser(text)
    if case .notFound = described { return .gone }
    guard case .found(let description) = described else { return .undisclosed(described.refusal) }
    let listed = try await upstream.listTags(of: text)
    if case .notFound = listed { return .gone }
    guard case .found(let tags) = listed else { return .undisclosed("its tags: \(listed.refusal)") }
    guard let user = ScannedUser(arn, description: description, tags: tags) else {
      return .undisclosed("upstream's answer is none that the service model has")
    }
    return .user(user)
  }
}

extension ReadAnswer {
  /// Why it says nothing.
  fileprivate var refusal: String {
    switch self {
    case .found: "its answer is none that the service model has"
    case .notFound: "there is no such resource"
    case .refused(let reason): reason
    }
  }
}

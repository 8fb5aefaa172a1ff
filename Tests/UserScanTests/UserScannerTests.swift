import ChimeIdentity
import PolicyEngine
import Primitives
import Testing

@testable import UserScan

@Suite struct UserScannerTests {
  private static let length = policy(#""name":{"maxLength":5}"#)

  /// Two AppInstances with five and one users, of whom those with an odd number have a name that is too long.
  private func directory() throws -> ScriptedDirectory {
    let directory = ScriptedDirectory()
    let users = try (0..<5).map { try user("u\($0)", name: $0 % 2 == 1 ? "too long" : "Al") }
    directory.users = [
      (Text(account + "one"), users), (Text(account + "two"), [try user("v", app: "two", name: "Al")]),
    ]
    return directory
  }

  private struct Run {
    var tally = ScanTally()
    var shown: [Text] = []
    var warnings: [String] = []
    var places: [ScanPlace] = []
    var failure: String?
  }

  private func scan(
    _ directory: ScriptedDirectory, from place: ScanPlace? = nil, tenant: Text? = nil
  ) async throws -> Run {
    var run = Run()
    let apps = try await UserScanner.appInstances(of: directory)
    let scan = UserScanner(
      upstream: directory, judge: try judge([Self.length]), tenant: { _ in tenant },
      show: { run.shown.append($0.user.arn.resourceId ?? "") }, warn: { run.warnings.append($0) },
      keep: { run.places.append($0) })
    do {
      run.tally = try await scan.run(from: place ?? ScanPlace(appInstances: apps))
    } catch {
      run.failure = error.message
      run.tally = run.places.last?.tally ?? ScanTally()
    }
    return run
  }

  @Test func everyUserOfEveryPageIsReadOnce() async throws {
    let directory = try directory()
    let run = try await scan(directory)
    #expect(directory.described.count == 6 && Set(directory.described).count == 6)
    #expect(run.shown == ["u1", "u3"])
    #expect((run.tally.users, run.tally.breaking, run.tally.withoutTenant, run.tally.failed) == (6, 2, 6, 0))
    #expect(run.tally.rules == [.init(policy: "p", rule: "name.length", isWarning: false): 2])
    #expect(run.places.last?.isComplete == true && !run.tally.isGood)
    #expect(try await scan(directory, tenant: "crm").tally.withoutTenant == 0)
  }

  @Test func whatCannotBeReadIsCountedAndTheRestIsRead() async throws {
    let directory = try directory()
    directory.refused = [Text(account + "one/user/u0")]
    directory.gone = [Text(account + "one/user/u1")]
    directory.silent = [Text(account + "one/user/u2")]
    let run = try await scan(directory)
    #expect((run.tally.users, run.tally.breaking, run.tally.failed) == (3, 1, 2))
    #expect(run.warnings.count == 2 && run.failure == nil)
    directory.unlisted = [Text(account + "two")]
    let other = try await scan(directory)
    #expect((other.tally.users, other.tally.unlisted) == (2, 1))
  }

  @Test func anUpstreamThatIsGoneEndsTheScan() async throws {
    let directory = try directory()
    directory.users[0].users += try (5..<9).map { try user("u\($0)", name: "Al") }
    // Within pages of two, three in a row are not of one page.
    directory.silent = Set((0..<9).map { Text("\(account)one/user/u\($0)") })
    let run = try await scan(directory)
    #expect(run.failure?.contains("no answer in time") == true)
    #expect(directory.described.count == 3)
  }

  /// Wherever it is stopped, what is read before and after is the whole, and each place survives its file.
  @Test func aStoppedScanGoesOnFromAnyPlace() async throws {
    let whole = try await scan(try directory())
    for place in whole.places {
      let read = try #require(ScanPlace(place.json))
      #expect(read == place)
      let directory = try directory()
      let rest = try await scan(directory, from: read)
      #expect(rest.tally == whole.tally)
      #expect(Set(directory.described).count == directory.described.count)
      #expect(directory.described.count == 6 - place.tally.users)
    }
  }

  @Test func usersThatComeAndGoMeanwhileShiftNobodyOut() async throws {
    let whole = try await scan(try directory())
    let place = try #require(whole.places.first)
    let directory = try directory()
    directory.users[0].users.insert(try user("new", name: "Al"), at: 0)
    let rest = try await scan(directory, from: place)
    // The page begins with the new user, and u0 is known to be done.
    #expect(directory.described.first == Text(account + "one/user/new"))
    #expect(rest.tally.users == 7)
  }

  @Test(arguments: ["", "{}", #"{"gatehouseScan":2}"#, "[1]", "\u{0}"])
  func whatIsNoPlaceIsNotTakenForOne(_ text: String) { #expect(ScanPlace(Array(text.utf8)) == nil) }
}

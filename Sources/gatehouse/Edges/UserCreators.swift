import AuditIndex
import AuditStore
import AuditTrail
import Glibc
import Primitives
import Synchronization

/// Whose users are, by the journal's records of their creation.
final class UserCreators: Sendable {
  private let directory: String
  /// `false`: there is no journal on this machine.
  private let isThere: Bool
  private let problem = Mutex<CommandFailure?>(nil)

  init(journal directory: String) throws(CommandFailure) {
    self.directory = directory
    do throws(AuditStore.FileFault) {
      _ = try JournalReader(directory: directory).byteCount()
      isThere = true
    } catch {
      guard error.code == ENOENT else { throw CommandFailure(journal: directory, error) }
      isThere = false
      Console.message("gatehouse: there is no audit journal in \(directory) that tells whose users are")
    }
  }

  /// `nil` when the journal does not tell.
  func tenant(of user: Text) -> Text? {
    guard isThere else { return nil }
    var filter = QueryFilter()
    filter.userArn = user
    filter.operation = "CreateAppInstanceUser"
    var tenant: Text?
    do {
      _ = try JournalSource(directory: directory) { Console.message("gatehouse: \($0)") }
        .forEachRequest(matching: filter, limit: nil) { request in
          // Of several creations, the last is of the user that is there.
          guard request.doubt == nil, request.outcome == "created" else { return }
          tenant = request.text("tenant") ?? tenant
        }
    } catch let fault as AuditStore.FileFault {
      problem.withLock { $0 = CommandFailure(journal: directory, fault) }
    } catch {
      problem.withLock {
        $0 = CommandFailure(.bad, "the audit journal in \(directory) cannot be read: \(error)")
      }
    }
    return tenant
  }

  /// Users whose creation could not be looked up were judged as ones without a tenant, which must not go unnoticed.
  func check() throws(CommandFailure) { if let problem = problem.withLock({ $0 }) { throw problem } }
}

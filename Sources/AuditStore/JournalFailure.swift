package import AuditTrail

/// Why a journal could not be opened.
package enum JournalOpenFailure: Error, Sendable, Hashable {
  /// Another process has it. `by`: what that wrote about itself, `pid 4711 since 2026-11-23T13:00:00.000Z`.
  case held(by: String)
  /// The journal is not what was written, or more is missing than a crash can take.
  case broken(ChainProblem)
  case file(FileFault)
  case noThread(code: Int32)
  /// `journal.id` holds something else than an identity.
  case unreadableIdentity
  /// `journal.id` holds another identity than the last checkpoint names.
  case otherIdentity(JournalIdentity, named: JournalIdentity)

  /// One line for the operator, who knows which journal it is about.
  package var message: String {
    switch self {
    case .held(let holder): "the audit journal is held by \(holder)"
    case .broken(let problem):
      "the audit journal is broken: \(problem.segment)" + (problem.line.map { " line \($0)" } ?? "")
        + ": \(problem.message)" + Self.advice(on: problem)
    case .file(let fault): "the audit journal cannot be used: \(fault)"
    case .noThread(let code): "the system has no thread for the audit journal (error \(code))"
    case .unreadableIdentity:
      "the audit journal cannot be used: \(JournalIdentity.file) does not hold a UUID; put back what it held, "
        + "or remove it to have the journal named anew"
    case .otherIdentity(let found, let named):
      "the audit journal cannot be used: \(JournalIdentity.file) says \(found.text), and the last line of "
        + "\(Checkpoint.file) says \(named.text): one of them is another journal's; put back what belongs here"
    }
  }

  private static func advice(on problem: ChainProblem) -> String {
    if case .unknownVersion = problem.kind { return "" }
    return
      "; put back what is missing or was changed (docs/audit.md, \"When somebody else changed the journal\"), or "
      + "keep the folder as evidence and begin another: rename it, and the next start makes a new one"
  }

  static func wrapping<T>(_ body: () throws(FileFault) -> T) throws(JournalOpenFailure) -> T {
    do throws(FileFault) {
      return try body()
    } catch {
      throw .file(error)
    }
  }
}

/// Why a record is not in the journal.
package enum JournalFailure: Error, Sendable, Hashable {
  case file(FileFault)
  /// The journal was closed.
  case closed
  /// The disk did not answer for longer than requests wait. With a `LateIntent` when the record may still come to disk:
  /// then the request's outcome must be handed over with it.
  case stalled(LateIntent?)

  package var message: String {
    switch self {
    case .file(let fault): "the audit journal cannot be written: \(fault)"
    case .closed: "the audit journal is closed"
    case .stalled: "the audit journal cannot be written: the disk does not answer"
    }
  }
}

/// What is fuzzed: one case for each reader of what strangers send or may have altered.
///
/// Each check gives the bytes to the reader and compares what it says with a second opinion: the same bytes in pieces, a
/// slow and obvious reference, another library. So a wrong answer is found as well as a crash.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Requests from a connection, chunked content among them.
  case requests
  /// Answers from upstream.
  case responses
  /// The Authorization field and the canonical request.
  case signatures
  /// Queries in canonical form.
  case queries
  /// Bodies.
  case json
  /// X-Forwarded-For and Forwarded.
  case forwarded
  /// PROXY protocol headers.
  case proxy
  /// What STS answers.
  case sts
  /// What credential programs, container endpoints and the metadata service answer.
  case credentials
  /// What a service manager says by variables.
  case sockets
  /// What a store of limits answers.
  case replies
  /// Lines of the journal.
  case records
  /// Globs of policies and tenants.
  case globs
  /// Regular expressions of policies.
  case patterns

  /// - Parameter program: the path that a program was started by; its last part names the target.
  package init?(program: String) {
    self.init(rawValue: String(program.split(separator: "/").last ?? ""))
  }

  /// Whether anything is wrong with what the reader makes of these bytes. Never ends the process if nothing is.
  package func check(_ bytes: [UInt8]) throws(Disagreement) {
    switch self {
    case .requests: try checkRequests(bytes)
    case .responses: try checkResponses(bytes)
    case .signatures: try checkSignatures(bytes)
    case .queries: try checkQuery(bytes)
    case .json: try checkJSON(bytes)
    case .forwarded: try checkForwarded(bytes)
    case .proxy: try checkProxyHeader(bytes)
    case .sts: try checkSTSAnswer(bytes)
    case .credentials: try checkCredentialAnswer(bytes)
    case .sockets: try checkServiceVariables(bytes)
    case .replies: try checkRedisReplies(bytes)
    case .records: try checkRecord(bytes)
    case .globs: try checkGlobs(bytes)
    case .patterns: try checkPattern(bytes)
    }
  }
}

/// Two readers that say different things of the same bytes, or one that says what cannot be.
package struct Disagreement: Error, CustomStringConvertible {
  package let description: String
}

func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Disagreement) {
  if !condition { throw Disagreement(description: otherwise()) }
}

func shown(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

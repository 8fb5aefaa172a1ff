internal import HTTPWire
internal import OpenSSLCrypto
internal import Primitives
internal import Synchronization

/// Who has logged in to the dashboard: a browser keeps a random word in a cookie, and this is what is known of such words.
struct SessionTable {
  private struct Session {
    let end: MonotonicInstant
    /// The token that was shown for it; with another one in force it is over.
    let token: SHA256Digest
  }

  /// By the digests of their words, so that finding one tells nothing of the others.
  private var sessions: [SHA256Digest: Session] = [:]

  /// A working day.
  static let seconds: Int64 = 12 * 3600
  /// More people than look at a gateway; the oldest session gives way to a new one.
  static let most = 64

  mutating func begin(_ word: [UInt8], token: SHA256Digest, now: MonotonicInstant) {
    sessions = sessions.filter { $0.value.end > now && $0.value.token == token }
    if sessions.count >= Self.most, let oldest = sessions.min(by: { $0.value.end < $1.value.end }) {
      sessions[oldest.key] = nil
    }
    sessions[SHA256.digest(word)] = Session(
      end: now.advanced(byNanoseconds: Self.seconds * 1_000_000_000), token: token)
  }

  func holds(_ word: [UInt8], token: SHA256Digest, now: MonotonicInstant) -> Bool {
    guard let session = sessions[SHA256.digest(word)] else { return false }
    return session.end > now && session.token == token
  }

  mutating func end(_ word: [UInt8]) { sessions[SHA256.digest(word)] = nil }
}

/// The sessions of one admin listener, and the cookie that they are known by.
final class AdminSessions: Sendable {
  private let table = Mutex(SessionTable())

  /// - Returns: the value of Set-Cookie.
  func begin(for token: Secret, of head: RequestHead, host: Authority, now: MonotonicInstant) -> String {
    let word = Hex.encode(randomBytes(32))
    table.withLock { $0.begin(Array(word.utf8), token: token.digest, now: now) }
    // A proxy in front speaks TLS when the page says so; the listener itself does not.
    let isSecure = head.values(named: "origin").contains {
      head.bytes[$0].starts(with: Array("https://".utf8))
    }
    return
      "\(Self.name(for: host))=\(word); Path=/; Max-Age=\(SessionTable.seconds); HttpOnly; SameSite=Strict"
      + (isSecure ? "; Secure" : "")
  }

  func holds(_ head: RequestHead, host: Authority, token: Secret, now: MonotonicInstant) -> Bool {
    let words = Self.words(in: head, for: host)
    guard !words.isEmpty else { return false }
    let digest = token.digest
    return table.withLock { table in words.contains { table.holds($0, token: digest, now: now) } }
  }

  /// - Returns: the value of Set-Cookie.
  func end(_ head: RequestHead, host: Authority) -> String {
    let words = Self.words(in: head, for: host)
    table.withLock { table in words.forEach { table.end($0) } }
    return "\(Self.name(for: host))=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
  }

  /// Cookies do not tell ports apart, so the name does: one machine may have several gateways.
  private static func name(for host: Authority) -> String { "gatehouse-session-\(host.port ?? "0")" }

  /// The values of our cookie; what a browser sends of others is not looked at.
  private static func words(in head: RequestHead, for host: Authority) -> [[UInt8]] {
    let wanted = Array("\(name(for: host))=".utf8)
    return head.values(named: "cookie").flatMap { field in
      Array(head.bytes[field]).split(separator: UInt8(ascii: ";")).compactMap { pair in
        let pair = pair.drop { $0 == UInt8(ascii: " ") }
        guard pair.starts(with: wanted), pair.count <= wanted.count + 128 else { return nil }
        return Array(pair.dropFirst(wanted.count))
      }
    }
  }
}

extension Secret {
  fileprivate var digest: SHA256Digest { withBytes { SHA256.digest($0) } }
}

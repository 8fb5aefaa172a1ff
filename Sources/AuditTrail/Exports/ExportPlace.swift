package import Primitives

/// The account and the region that a request belongs to.
package struct ExportPlace: Sendable, Hashable {
  /// Twelve digits.
  package let account: Text
  package let region: Text

  package init(account: Text, region: Text) {
    self.account = account
    self.region = region
  }

  /// Of `arn:aws:chime:us-east-1:123456789012:…`; `nil` when it is no such ARN. Both become names of folders, so
  /// nothing but letters, digits and hyphens will do.
  package init?(arn: Text) {
    let parts = arn.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count >= 6, parts[0].elementsEqual("arn".utf8), parts[2].elementsEqual("chime".utf8),
      Self.isAccount(parts[4]), !parts[3].isEmpty, parts[3].count <= 32,
      parts[3].allSatisfy({ Self.isDigit($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") })
    else { return nil }
    account = Text(uncheckedUTF8: Array(parts[4]))
    region = Text(uncheckedUTF8: Array(parts[3]))
  }

  package static func isAccount(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.count == 12 && bytes.allSatisfy { isDigit($0) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension RequestHistory {
  /// Where an allowed request belongs. What a refused one names is the caller's claim and no place of ours.
  package var place: ExportPlace? {
    guard text("decision") == "allowed" else { return nil }
    return resourceArns.lazy.compactMap { ExportPlace(arn: $0) }.first
  }

  /// What the request is about, the most particular first.
  var resourceArns: [Text] {
    ["appInstanceUserArn", "resourceArn", "appInstanceArn"].compactMap { text($0) }
  }

  /// What kind of call it is, by the verb of its name.
  var activity: Activity {
    guard let operation = text("operation")?.string else { return .other }
    return Activity.verbs.first { operation.hasPrefix($0.verb) }?.activity ?? .other
  }

  /// The message of the first violation, or the reason.
  var failureMessage: Text? { first.firstMessage("violations") ?? text("reason") }

  /// Whether what was asked for was done; `nil` when that is not known.
  var isSuccess: Bool? {
    switch outcome {
    case "created", "succeeded": true
    case "unknown": nil
    // A repeat gets the answer of the request before it.
    case "notForwarded": integer("status").map { $0 < 300 } ?? false
    default: false
    }
  }
}

/// The activities of OCSF's API Activity class.
enum Activity: Int {
  case create = 1
  case read = 2
  case update = 3
  case delete = 4
  case other = 99

  static let verbs: [(verb: String, activity: Activity)] = [
    ("Create", .create), ("Register", .create), ("List", .read), ("Describe", .read), ("Get", .read),
    ("Update", .update), ("Put", .update), ("Tag", .update), ("Untag", .update), ("Delete", .delete),
    ("Deregister", .delete),
  ]

  var name: String {
    switch self {
    case .create: "Create"
    case .read: "Read"
    case .update: "Update"
    case .delete: "Delete"
    case .other: "Other"
    }
  }
}

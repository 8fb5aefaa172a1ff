package import Configuration
package import Primitives

/// What is not known of a request that policies are to decide on: a record of the journal may hide values.
package struct HiddenFacts: Sendable {
  /// The name is there, and nobody knows which.
  package var name = false
  /// The metadata is there with its size, and nobody knows what it says.
  package var metadata = false
  /// The keys of tags that are there with a value that nobody knows.
  package var tags: [Text] = []

  package init() {}

  package var isEmpty: Bool { !name && !metadata && tags.isEmpty }

  /// Stands for a name or the value of a tag. No JSON that this gateway reads can hold a NUL, so neither a request nor
  /// a policy ever has the same value.
  package static let placeholder: Text = "\u{0}"

  /// Stands for metadata of which only the size in UTF-8 is known.
  package static func metadata(ofSize bytes: Int) -> Text {
    Text(uncheckedUTF8: [UInt8](repeating: UInt8(ascii: "x"), count: max(0, bytes)))
  }
}

/// The member of a request that a rule needs the value of.
package enum HiddenMember: String, Sendable, CaseIterable {
  case name = "Name"
  case metadata = "Metadata"
  case tagValues = "Tags"
}

/// What policies make of a request of which not all is known.
package struct PartialDecision: Sendable {
  package enum Verdict: Sendable, Hashable {
    /// Whatever is hidden.
    case allowed, denied
    /// It hangs on what is hidden.
    case undecidable
  }

  /// A rule that is broken, or that may be.
  package struct Finding: Sendable {
    package let policy: Text
    package let rule: Rule
    /// An exception makes a warning of what it covers.
    package fileprivate(set) var mode: PolicyDocument.Mode
    /// `nil`: broken whatever is hidden. Otherwise that decides.
    package fileprivate(set) var hangsOn: HiddenMember?
    /// Only when wording was asked for, and of rules that are broken for sure.
    package fileprivate(set) var violation: Violation?
  }

  package fileprivate(set) var findings: [Finding] = []

  /// Nothing is broken, and nothing may be.
  package init() {}

  package var verdict: Verdict {
    var verdict = Verdict.allowed
    for finding in findings where finding.mode == .enforce {
      if finding.hangsOn == nil { return .denied }
      verdict = .undecidable
    }
    return verdict
  }
}

extension TenantPolicies {
  /// Decides as `decide` does, as far as that can be done without the hidden values: `request` holds placeholders
  /// in their places. What is decided would be decided so with any values.
  /// - Parameter wording: whether violations are wanted with their messages.
  package func decide(
    _ request: borrowing GovernedRequest, hiding hidden: HiddenFacts, at now: WallClockTime = .never,
    wording: Bool = false
  ) -> PartialDecision {
    var recorder = PartialRecorder(hidden, wantsWording: wording)
    var changed = request.copy()
    evaluate(&changed, at: now, &recorder)
    return recorder.decision
  }
}

/// Knows which verdicts rest on a placeholder, and keeps them apart from those that hold for any value.
private struct PartialRecorder: VerdictRecorder {
  /// A rule that needs a hidden value must be seen even where all policies together would keep it.
  let recordsKeptRules = true
  var decision = PartialDecision()
  private var hidden: HiddenFacts
  /// The hidden tags, as findings name them.
  private var tagFields: Set<Text>
  /// Tags of which a `warn` policy knows the value, because it would set them.
  private var known: [(policy: ObjectIdentifier, field: Text)] = []
  /// Policies of which nobody knows whether their `when` holds, with what would have to be known for that.
  private var doubtful: [ObjectIdentifier: HiddenMember] = [:]
  /// Such a policy may have changed the request, so that nothing found in it is sure.
  private var doubt: HiddenMember?
  private let wantsWording: Bool

  var exceptionAnswers: [Truth]?

  var hiddenFacts: HiddenFacts? { hidden.isEmpty ? nil : hidden }

  mutating func soften(
    by exceptions: TenantExceptions, _ request: borrowing GovernedRequest, at now: WallClockTime
  ) {
    for index in decision.findings.indices where decision.findings[index].mode == .enforce {
      let finding = decision.findings[index]
      var doubt: HiddenMember?
      let name = exceptions.cover(
        finding.rule, of: finding.policy, in: request, at: now, exceptionAnswers, hiding: hiddenFacts, &doubt)
      if name != nil {
        decision.findings[index].mode = .warn
      } else if let doubt, finding.hangsOn == nil {
        decision.findings[index].hangsOn = doubt
        decision.findings[index].violation = nil
      }
    }
  }

  mutating func asked(
    _ policy: BoundPolicy, _ truth: Truth, _ request: borrowing GovernedRequest, as governance: Governance
  ) {
    guard truth == .unknown, let member = policy.when?.hiddenMember(of: hidden) else { return }
    doubtful[ObjectIdentifier(policy)] = member
    if policy.mode == .enforce, policy.fills || policy.clamps { doubt = member }
  }

  init(_ hidden: HiddenFacts, wantsWording: Bool) {
    self.hidden = hidden
    self.wantsWording = wantsWording
    tagFields = []
    for key in hidden.tags {
      tagFields.insert(Text(PolicyField.tag(key)))
      tagFields.insert(Text(PolicyField.tag(ofCaller: key.utf8.span)))
    }
  }

  mutating func judge(
    _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, keeps: Bool,
    field: @autoclosure () -> String,
    wrong: @autoclosure () -> String, accepted: @autoclosure () -> String
  ) {
    // Where no value at all would be accepted, the value does not matter.
    if let member = member(of: rule, policy, field()), keeps || accepted() != MessageText.nothing {
      add(rule, of: policy, hangsOn: member)
    } else if !keeps {
      add(
        rule, of: policy,
        wantsWording
          ? Violation(
            rule, of: policy, saying: notes, field: field(), wrong: wrong(), accepted: accepted()) : nil)
    }
  }

  mutating func change(
    _ rule: Rule, of policy: BoundPolicy, _ change: FactChange, in request: borrowing GovernedRequest
  ) {
    let isOnPlaceholder = request[change.from].holds(HiddenFacts.placeholder)
    guard isOnPlaceholder else { return }
    if policy.mode == .warn {
      known.append((ObjectIdentifier(policy), Text(request.field(of: change))))
    } else {
      // From here on its value is what policy set.
      tagFields.remove(Text(request.field(of: change)))
    }
  }

  /// The hidden member that the verdict on a rule rests on.
  private func member(
    of rule: Rule, _ policy: BoundPolicy, _ field: @autoclosure () -> String
  ) -> HiddenMember? {
    guard let member = rule.neededMember else { return nil }
    switch member {
    case .name: return hidden.name ? member : nil
    case .metadata: return hidden.metadata ? member : nil
    case .tagValues:
      guard !tagFields.isEmpty, case let field = Text(field()), tagFields.contains(field),
        !known.contains(where: { $0.policy == ObjectIdentifier(policy) && $0.field == field })
      else { return nil }
      return member
    }
  }

  private mutating func add(
    _ rule: Rule, of policy: BoundPolicy, hangsOn member: HiddenMember? = nil, _ violation: Violation? = nil
  ) {
    let member = member ?? doubtful[ObjectIdentifier(policy)] ?? doubt
    decision.findings.append(
      .init(
        policy: policy.name, rule: rule, mode: policy.mode, hangsOn: member,
        violation: member == nil ? violation : nil))
  }
}

extension GovernedRequest {
  /// Whether policies of any kind have a say in it.
  package var isGoverned: Bool { governance != nil || tagging != nil }
}

extension Rule {
  /// The member whose value decides, where its presence or its size is not enough. Ids of users, keys of tags and
  /// days are never hidden.
  fileprivate var neededMember: HiddenMember? {
    switch self {
    case .namePattern, .nameForbidden, .nameLength, .nameTrimmed, .nameSingleScript: .name
    case .metadataFormat, .metadataForbidden: .metadata
    case .tagsValue, .tagsPattern: .tagValues
    case .userIDPrefix, .userIDPattern, .userIDForbidden, .userIDLength, .tagsRequired, .tagsKeyCase,
      .tagsAllowedKeys, .tagsForbiddenKeys, .tagsMaxCount, .tagsProtected, .expirationRequired,
      .expirationMinDays, .expirationMaxDays, .metadataMaxBytes:
      nil
    }
  }
}

internal import AuditTrail
internal import Primitives

extension QueryFilter {
  /// Of each of these groups a request must have one. What is rare stands first.
  func groups(by hasher: TermHasher) -> [[RecordTerm]] {
    func term(_ subject: TermHasher.Subject, _ value: Text) -> RecordTerm {
      hasher.term(subject, value.utf8.span)
    }
    var groups: [[RecordTerm]] = []
    if let userId { groups.append([term(.user, userId)]) }
    if let userArn { groups.append([hasher.user(arn: userArn.utf8.span)]) }
    if let name { groups.append(recorded(name).map { term(.name, $0) }) }
    for tag in tags {
      groups.append(recorded(tag.value).map { hasher.tag(tag.key.utf8.span, $0.utf8.span) })
    }
    if let rule { groups.append([term(.rule, rule)]) }
    if let outcome {
      let name = Text(outcome.rawValue)
      if TermHasher.indexes(outcome: name.utf8.span) { groups.append([term(.outcome, name)]) }
    }
    if let actor { groups.append([term(.actor, actor)]) }
    if let accessKeyId { groups.append([term(.accessKey, accessKeyId)]) }
    if let tenant { groups.append([term(.tenant, tenant)]) }
    if let decision { groups.append([term(.decision, Text(decision.rawValue))]) }
    if let operation { groups.append([term(.operation, operation)]) }
    return groups
  }
}

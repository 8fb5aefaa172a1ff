internal import Primitives
internal import StrictJSON

/// The members of a journal record that replay looks at.
enum RecordMember: String, CaseIterable {
  case record, requestId, time, tenant, accessKeyId, actor, operation, appInstanceArn, appInstanceUserId,
    appInstanceUserArn
  case resourceArn, name, metadata, metadataBytes, tags, tagsNotRecorded, tagKeys, expirationDays, decision
  case violations, warnings, policyRevision, intent, repeatOf, truncated

  private static let byLength: [[(name: Text, member: RecordMember)]] = {
    var table: [[(name: Text, member: RecordMember)]] = []
    for member in allCases {
      let name = Text(member.rawValue)
      while table.count <= name.utf8.count { table.append([]) }
      table[name.utf8.count].append((name, member))
    }
    return table
  }()

  /// `nil` for the many members that policy has nothing to do with.
  init?(_ key: JSONNode, of document: JSONDocument) {
    guard let place = document.plainString(key), place.count < Self.byLength.count else { return nil }
    for (name, member) in Self.byLength[place.count] where document.isText(key, name) {
      self = member
      return
    }
    return nil
  }
}

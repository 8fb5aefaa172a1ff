package import Primitives
internal import StrictJSON

/// What a request was when it was decided about: as it was received, with what policies changed. Records hold the two
/// apart, so that another policy can be tried on what came.
extension RequestHistory {
  private static let tagField = Text("Tags.")
  private static let daysField = Text("ExpirationSettings.ExpirationDays")

  /// Each value as it is written in the journal: `null` where it is not shown.
  private var tagSources: [(key: Text, value: ArraySlice<UInt8>)] {
    var tags = first.tagSources
    for change in first.changeSources where change.field.utf8.starts(with: Self.tagField.utf8) {
      let key = Text(uncheckedUTF8: Array(change.field.utf8.dropFirst(Self.tagField.utf8.count)))
      if let place = tags.firstIndex(where: { $0.key == key }) {
        tags[place].value = change.to
      } else {
        tags.append((key, change.to))
      }
    }
    return tags
  }

  /// The tags, with `nil` for a value that the journal does not show.
  package var evaluatedTags: [(key: Text, value: Text?)] {
    tagSources.map { key, source in
      let document = try? JSONDocument(parsing: Array(source))
      return (key, document.flatMap { $0.text($0.root) })
    }
  }

  package var evaluatedExpirationDays: Int? {
    let change = first.changes.last { $0.field == Self.daysField }
    return change.flatMap { Int($0.to.string) } ?? integer("expirationDays")
  }

  /// Whether it is a call that gives tags to something, whether or not it did.
  package var writesTags: Bool {
    guard let operation = text("operation") else { return false }
    return ["CreateAppInstance", "CreateAppInstanceBot", "CreateAppInstanceUser", "TagResource"].contains {
      operation == $0
    }
  }

  /// The rules that were broken and those that warnings name.
  package var rules: [Text] { first.rules("violations") + first.rules("warnings") }

  /// `tags` as an object, and `expirationDays` as a number; `nil` when there is none.
  func evaluatedSource(_ member: Text) -> ArraySlice<UInt8>? {
    switch member {
    case "tags":
      let tags = tagSources
      guard !tags.isEmpty else { return source(member) }
      var writer = JSONWriter()
      writer.beginObject()
      for tag in tags {
        writer.key(text: tag.key)
        writer.raw(tag.value)
      }
      writer.endObject()
      return writer.bytes[...]
    case "expirationDays": return evaluatedExpirationDays.map { Array(String($0).utf8)[...] }
    default: return source(member)
    }
  }
}

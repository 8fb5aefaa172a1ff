internal import Patterns
internal import Primitives
internal import StrictJSON

/// What schemas say of texts in which templates may stand.
enum TemplateSchema {
  static let placeholder = #"\$\{(tenant\.id|tenant\.labels\.[^}]+|request\.appInstanceId)\}"#
  static let text: JSONLiteral = .string(#"^([^$]|\$(?!\{)|\#(placeholder))*$"#)
  static let object: JSONLiteral = ["pattern": text]
  /// After a backslash, a dollar sign begins no template.
  static let pattern: JSONLiteral = .string(#"^([^$\\]|\\[\s\S]|\$(?!\{)|\#(placeholder))*$"#)

  static func read(_ text: String) throws(Rejection) -> Template {
    do throws(Template.SyntaxError) {
      return try Template(Text(text))
    } catch {
      throw Rejection(message: error.message)
    }
  }
}

extension Form where Value == PolicyDocument.Located<Text> {
  /// A text in which placeholders may stand; kept as written.
  static var template: Form {
    let schema: JSONLiteral = [
      "type": "string", "pattern": TemplateSchema.text,
      "examples": ["${tenant.id}-", "${tenant.labels.owner}"],
    ]
    return Form<Text>.parsed("a template", schema: schema) { text throws(Rejection) in
      _ = try TemplateSchema.read(text)
      return Text(text)
    }.located
  }

  /// The key of a tag that a policy is about.
  static var tagKeyTemplate: Form {
    let schema: JSONLiteral = ["type": "string", "minLength": 1, "pattern": TemplateSchema.text]
    return Form<Text>.parsed("a tag key", schema: schema) { text throws(Rejection) in
      _ = try TemplateSchema.read(text)
      return text.isEmpty ? nil : Text(text)
    }.located
  }
}

extension Form where Value == Glob {
  /// A glob whose source holds its templates as they are written.
  static var globTemplate: Form {
    let schema: JSONLiteral = [
      "type": "string", "minLength": 1, "maxLength": .integer(Int64(longest)),
      "pattern": TemplateSchema.text,
    ]
    return parsed("a glob of 1 to \(longest) characters", schema: schema) { text throws(Rejection) in
      _ = try TemplateSchema.read(text)
      return isOfGlobLength(text) ? Glob(Text(text)) : nil
    }.advised
  }
}

/// A regular expression as a policy writes it.
private enum WrittenPattern: Sendable {
  case plain(Pattern)
  case template(PatternTemplate)
}

extension Form where Value == WrittenPattern {
  fileprivate static var writtenPattern: Form {
    let schema: JSONLiteral = [
      "type": "string", "minLength": 1, "pattern": TemplateSchema.pattern,
      "examples": ["[a-z0-9-]+", "[^@]+@example\\.com", "${tenant.id}-[a-z]+"],
    ]
    return parsed("a regular expression", schema: schema) { text throws(Rejection) in
      if let template = try PatternTemplate(Text(text)) { return .template(template) }
      return .plain(try Form<Pattern>.read(text))
    }
  }
}

extension Form where Value == Pattern {
  fileprivate static func read(_ text: String) throws(Rejection) -> Pattern {
    guard !text.isEmpty else {
      throw Rejection(message: "expected a regular expression, found an empty string")
    }
    do throws(PatternError) {
      return try Pattern(text)
    } catch {
      let characters = Text(uncheckedUTF8: Array(text.utf8.prefix(error.offset))).scalarCount
      throw Rejection(message: "invalid pattern at character \(characters + 1): \(error.message)")
    }
  }
}

extension Form where Value == PolicyDocument.Located<Pattern> {
  /// A regular expression in which no templates may stand.
  static var pattern: Form {
    let schema: JSONLiteral = ["type": "string", "minLength": 1, "not": MisplacedTemplate.schema]
    return Form<Pattern>.parsed("a regular expression", schema: schema) { text throws(Rejection) in
      try MisplacedTemplate.refuse(in: text)
      return try Form<Pattern>.read(text)
    }.located
  }
}

extension PolicyDocument.PatternRule {
  init(_ keys: Keys) {
    self.init()
    let written = keys.optional(
      "pattern", Form<WrittenPattern>.writtenPattern.located,
      "PCRE2 expression that the whole value must match; a template.")
    switch written?.value {
    case .plain(let pattern)?: whole = written.map { .init(pattern, at: $0.position) }
    case .template(let pattern)?: template = written.map { .init(pattern, at: $0.position) }
    case nil: break
    }
  }
}

extension PolicyDocument.ForbiddenRule {
  init(_ keys: Keys) {
    self.init()
    let written = keys.list(
      "forbidden",
      .list(of: Form<WrittenPattern>.writtenPattern.located, "a list of regular expressions"),
      "PCRE2 expressions that may match nowhere in it; templates.")
    for one in written {
      switch one.value {
      case .plain(let pattern): patterns.append(.init(pattern, at: one.position))
      case .template(let pattern): templates.append(.init(pattern, at: one.position))
      }
    }
    linesFrom = keys.optional(
      "forbiddenFrom", .path, "A file of texts, one a line, that may stand nowhere in it; taken literally.")
  }
}

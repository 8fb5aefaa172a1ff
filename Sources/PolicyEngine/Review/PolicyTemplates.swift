package import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

extension Template {
  /// The labels of the tenant that it needs.
  var labels: [Text] {
    pieces.compactMap { if case .fact(.tenantLabel(let name)) = $0 { name } else { nil } }
  }

  /// Whether it is the same for every tenant and request.
  var isConstant: Bool {
    pieces.allSatisfy { if case .written = $0 { true } else { false } }
  }

  var needsRequest: Bool { pieces.contains(.fact(.appInstanceID)) }

  package var needsTenant: Bool {
    pieces.contains { piece in
      switch piece {
      case .fact(.tenantID), .fact(.tenantLabel): true
      case .fact(.appInstanceID), .written: false
      }
    }
  }
}

/// A template of a policy, with its place.
struct PlacedTemplate: Sendable {
  /// What it becomes, and so which of the service model's limits it must fit.
  enum Use: Sendable { case text, tagValue, tagKey }

  /// `nil` when it cannot be read.
  let template: Template?
  let position: SourcePosition
  let use: Use

  init(_ template: Template?, at position: SourcePosition, as use: Use = .text) {
    self.template = template
    self.position = position
    self.use = use
  }

  init(_ located: PolicyDocument.Located<Text>, as use: Use = .text) {
    self.init(try? Template(located.value), at: located.position, as: use)
  }
}

extension ExceptionDocument {
  /// Whether whom it is about hangs on the tenant's labels.
  var needsLabels: Bool {
    !match.tenantLabels.isEmpty || match.exclude?.tenantLabels.isEmpty == false || when?.needsLabels == true
  }
}

extension PolicyDocument {
  /// Whether what it says of a tenant hangs on the tenant's labels.
  var needsLabels: Bool {
    !match.tenantLabels.isEmpty || when?.needsLabels == true || match.exclude?.tenantLabels.isEmpty == false
      || templates.contains { !($0.template?.labels ?? []).isEmpty }
  }

  /// Every template in it.
  var templates: [PlacedTemplate] {
    var all: [PlacedTemplate] = []
    if let prefix = appInstanceUserId?.prefix { all.append(PlacedTemplate(prefix)) }
    for required in tags?.required ?? [] {
      all += (required.values ?? []).map { PlacedTemplate($0) }
      if let value = required.defaultValue { all.append(PlacedTemplate(value, as: .tagValue)) }
    }
    return all + (tags?.set ?? []).map { PlacedTemplate($0.value, as: .tagValue) } + ruleTemplates
  }

  /// Those that a rule is made of, and that are put in before it is bound: in patterns, keys of tags and globs of keys.
  var ruleTemplates: [PlacedTemplate] {
    var all = [appInstanceUserId?.pattern, userName?.pattern].compactMap(\.self).flatMap(\.placedTemplates)
    for rule in [appInstanceUserId?.forbidden, userName?.forbidden, metadata?.forbidden] {
      all += (rule?.templates ?? []).map { PlacedTemplate($0.value.template, at: $0.position) }
    }
    guard let tags else { return all }
    for required in tags.required {
      if required.key.value.hasTemplate { all.append(PlacedTemplate(required.key, as: .tagKey)) }
      all += required.pattern.placedTemplates
    }
    all += tags.set.map(\.key).filter { $0.value.hasTemplate }.map { PlacedTemplate($0, as: .tagKey) }
    for glob in tags.allowedKeys ?? [] where glob.source.hasTemplate {
      all.append(PlacedTemplate(try? Template(glob.source), at: tags.allowedKeysPosition ?? name.position))
    }
    return all
  }

  /// Whether templates stand in keys of tags or globs of keys, so that only a tenant's keys can be compared.
  var hasTemplatesInKeys: Bool {
    guard let tags else { return false }
    return tags.required.contains { $0.key.value.hasTemplate }
      || tags.set.contains { $0.key.value.hasTemplate }
      || (tags.allowedKeys ?? []).contains { $0.source.hasTemplate }
  }
}

extension PolicyDocument.PatternRule {
  fileprivate var placedTemplates: [PlacedTemplate] {
    template.map { [PlacedTemplate($0.value.template, at: $0.position)] } ?? []
  }
}

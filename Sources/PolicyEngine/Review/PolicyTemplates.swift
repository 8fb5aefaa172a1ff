package import Configuration
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
  let source: Text
  let position: SourcePosition
  /// What it becomes must fit the service model's limits for the value of a tag.
  let isTagValue: Bool

  init(_ located: PolicyDocument.Located<Text>, isTagValue: Bool = false) {
    source = located.value
    position = located.position
    self.isTagValue = isTagValue
  }

  /// `nil` when it cannot be read.
  var template: Template? { try? Template(source) }
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

  /// Every template in it, in the order in which the rules are documented.
  var templates: [PlacedTemplate] {
    var all: [PlacedTemplate] = []
    if let prefix = appInstanceUserId?.prefix { all.append(PlacedTemplate(prefix)) }
    guard let tags else { return all }
    for required in tags.required {
      all += (required.values ?? []).map { PlacedTemplate($0) }
      if let value = required.defaultValue { all.append(PlacedTemplate(value, isTagValue: true)) }
    }
    return all + tags.set.map { PlacedTemplate($0.value, isTagValue: true) }
  }
}

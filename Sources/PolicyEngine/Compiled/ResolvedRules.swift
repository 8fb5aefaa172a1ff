internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives

/// What templates stand for.
struct TemplateValues {
  let tenant: TenantFacts
  /// `nil`: not known, or there is none.
  let appInstanceID: Text?

  private func value(of fact: Template.Fact) throws(Unresolved) -> Text {
    switch fact {
    case .tenantID: return tenant.id
    case .tenantLabel(let name):
      guard let value = tenant.labels[name] else { throw .tenantHasNoLabel(name) }
      return value
    case .appInstanceID:
      guard let appInstanceID else { throw .requestNamesNoAppInstance }
      return appInstanceID
    }
  }

  func glob(_ written: Glob) throws(Unresolved) -> Glob {
    guard written.source.hasTemplate else { return written }
    let template = BoundTemplate(written.source, for: tenant)
    if let failure = template.failure { throw failure }
    guard template.constant != nil || appInstanceID != nil else { throw .requestNamesNoAppInstance }
    return ValueGlob.glob(template, appInstanceID: appInstanceID ?? "")
  }

  /// The key of a tag, which the service model wants to have 1 to 128 characters.
  func tagKey(_ source: Text) throws(Unresolved) -> Text {
    guard source.hasTemplate else { return source }
    let key = try glob(Glob(source)).source
    guard ModelLimits.tagKey.contains(key.scalarCount) else { throw .noTagKey }
    return key
  }

  func pattern(_ written: PatternTemplate) throws(Unresolved) -> Pattern {
    var values: [Template.Fact: Text] = [:]
    for piece in written.template.pieces {
      if case .fact(let fact) = piece { values[fact] = try value(of: fact) }
    }
    guard let pattern = try? Pattern(written.filled(by: { values[$0] ?? "" })) else { throw .badPattern }
    return pattern
  }
}

/// Templates that a rule is made of: in patterns, keys of tags and globs of keys. They are put in before the rule is
/// bound, for each tenant, or for each AppInstance where that stands in them. What cannot be worked out is kept as the
/// reason, and breaks the rule.
extension PolicyDocument {
  func resolved(for values: TemplateValues) -> PolicyDocument {
    var copy = self
    copy.appInstanceUserId?.resolve(values)
    copy.userName?.resolve(values)
    copy.tags?.resolve(values)
    copy.metadata?.forbidden.resolve(values)
    return copy
  }
}

extension PolicyDocument.StringRules {
  fileprivate mutating func resolve(_ values: TemplateValues) {
    pattern.resolve(values)
    forbidden.resolve(values)
  }
}

extension PolicyDocument.PatternRule {
  fileprivate mutating func resolve(_ values: TemplateValues) {
    guard let template else { return }
    self.template = nil
    do throws(Unresolved) {
      whole = .init(try values.pattern(template.value), at: template.position)
    } catch {
      failure = error.reason
    }
  }
}

extension PolicyDocument.ForbiddenRule {
  fileprivate mutating func resolve(_ values: TemplateValues) {
    for template in templates {
      do throws(Unresolved) {
        patterns.append(.init(try values.pattern(template.value), at: template.position))
      } catch {
        failures.append(error.reason)
      }
    }
    templates = []
  }
}

extension PolicyDocument.RequiredTag {
  /// With its pattern for a tenant.
  func resolvingPattern(for tenant: TenantFacts) -> Self {
    var copy = self
    copy.pattern.resolve(TemplateValues(tenant: tenant, appInstanceID: nil))
    return copy
  }
}

extension PolicyDocument.TagRules {
  fileprivate mutating func resolve(_ values: TemplateValues) {
    var required: [PolicyDocument.RequiredTag] = []
    for tag in self.required {
      var resolved = tag
      resolved.pattern.resolve(values)
      do throws(Unresolved) {
        resolved.key = .init(try values.tagKey(tag.key.value), at: tag.key.position)
        required.append(resolved)
      } catch {
        unknownKeys.append(
          .init(
            source: tag.key.value, header: tag.header, isPutIn: tag.defaultValue != nil, reason: error.reason)
        )
      }
    }
    self.required = required
    var set: [(key: PolicyDocument.Located<Text>, value: PolicyDocument.Located<Text>)] = []
    for (key, value) in self.set {
      do throws(Unresolved) {
        set.append((.init(try values.tagKey(key.value), at: key.position), value))
      } catch {
        unknownKeys.append(.init(source: key.value, header: nil, isPutIn: true, reason: error.reason))
      }
    }
    self.set = set
    requiredElsewhere = requiredElsewhere.compactMap { try? values.tagKey($0) }
    do throws(Unresolved) {
      var globs: [Glob]?
      for glob in allowedKeys ?? [] { globs = (globs ?? []) + [try values.glob(glob)] }
      if globs != nil { allowedKeys = globs }
    } catch {
      allowedKeys = []
      allowedKeysFailure = error.reason
    }
  }
}

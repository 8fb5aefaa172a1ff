import Configuration
import StrictJSON
import Testing

@Suite struct SchemaTests {
  private func schema(_ kind: ConfigurationSchema.Kind) throws -> LocatedJSON {
    try parseLocated(ConfigurationSchema.bytes(of: kind, knownOperations: operations))
  }

  @Test(arguments: ConfigurationSchema.Kind.allCases)
  func eachSchemaIsAClosedObjectOfDraft202012(_ kind: ConfigurationSchema.Kind) throws {
    let schema = try schema(kind)
    #expect(schema["$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema["type"]?.string == "object")
    #expect(schema["additionalProperties"]?.boolean == false)
  }

  /// Every key of the samples is a property of the schema, at each level.
  @Test(arguments: [
    (ConfigurationSchema.Kind.config, sampleConfiguration), (.tenants, sampleTenants),
    (.policy, samplePolicy),
  ])
  func theSchemasKnowEveryKeyOfTheSamples(_ kind: ConfigurationSchema.Kind, _ sample: String) throws {
    #expect(unknownKeys(in: try parseLocated(Array(sample.utf8)), against: try schema(kind)) == [])
  }

  @Test func theConfigurationSchemaSaysWhatIsRequiredAndWhatTheDefaultsAre() throws {
    let schema = try schema(.config)
    #expect(
      schema["required"]?.array?.compactMap(\.string) == [
        "listeners", "upstream", "tenants", "policies",
      ])
    let limits = schema["properties"]?["limits"]?["properties"]
    #expect(limits?["headerBytes"]?["default"]?.string == "16KiB")
    #expect(limits?["idleTimeout"]?["default"]?.string == "75s")
    let upstream = schema["properties"]?["upstream"]
    #expect(upstream?["required"]?.array?.compactMap(\.string) == ["region"])
  }

  /// The schema's alternatives that describe objects, through `anyOf`, `oneOf` and `items`.
  private func objects(_ schema: LocatedJSON) -> [LocatedJSON] {
    if schema["properties"] != nil || schema["additionalProperties"] != nil { return [schema] }
    let alternatives = (schema["anyOf"]?.array ?? []) + (schema["oneOf"]?.array ?? [])
    return alternatives.flatMap { objects($0) }
  }

  private func unknownKeys(in value: LocatedJSON, against schema: LocatedJSON) -> [String] {
    switch value.value {
    case .array(let elements):
      let items = [schema] + (schema["anyOf"]?.array ?? [])
      guard let item = items.lazy.compactMap({ $0["items"] }).first else { return [] }
      return elements.flatMap { unknownKeys(in: $0, against: item) }
    case .object(let members):
      return members.flatMap { member -> [String] in
        for candidate in objects(schema) {
          if let property = candidate["properties"]?[member.key] {
            return unknownKeys(in: member.value, against: property)
          }
          if candidate["additionalProperties"]?.object != nil { return [] }
        }
        return [member.key]
      }
    default: return []
    }
  }
}

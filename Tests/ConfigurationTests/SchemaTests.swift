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
    #expect(schema[key: "$schema"]?.string == "https://json-schema.org/draft/2020-12/schema")
    #expect(schema[key: "type"]?.string == "object")
    #expect(schema[key: "additionalProperties"]?.boolean == false)
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
      schema[key: "required"]?.array?.compactMap(\.string) == [
        "listeners", "upstream", "tenants", "policies",
      ])
    let limits = schema[key: "properties"]?[key: "limits"]?[key: "properties"]
    #expect(limits?[key: "headerBytes"]?[key: "default"]?.string == "16KiB")
    #expect(limits?[key: "idleTimeout"]?[key: "default"]?.string == "75s")
    let upstream = schema[key: "properties"]?[key: "upstream"]
    #expect(upstream?[key: "required"]?.array?.compactMap(\.string) == ["region"])
  }

  /// The schema's alternatives that describe objects, through `anyOf`, `oneOf` and `items`.
  private func objects(_ schema: LocatedJSON) -> [LocatedJSON] {
    if schema[key: "properties"] != nil || schema[key: "additionalProperties"] != nil { return [schema] }
    let alternatives = (schema[key: "anyOf"]?.array ?? []) + (schema[key: "oneOf"]?.array ?? [])
    return alternatives.flatMap { objects($0) }
  }

  private func unknownKeys(in value: LocatedJSON, against schema: LocatedJSON) -> [String] {
    switch value.value {
    case .array(let elements):
      let items = [schema] + (schema[key: "anyOf"]?.array ?? [])
      guard let item = items.lazy.compactMap({ $0[key: "items"] }).first else { return [] }
      return elements.flatMap { unknownKeys(in: $0, against: item) }
    case .object(let members):
      return members.flatMap { member -> [String] in
        for candidate in objects(schema) {
          if let property = candidate[key: "properties"]?[key: member.key] {
            return unknownKeys(in: member.value, against: property)
          }
          if candidate[key: "additionalProperties"]?.object != nil { return [] }
        }
        return [member.key]
      }
    default: return []
    }
  }
}

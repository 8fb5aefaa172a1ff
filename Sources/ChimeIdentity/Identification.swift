package import HTTPWire
internal import Primitives

extension Operation {
  /// Which operation a request calls, from its head.
  package static func identify(_ head: RequestHead) throws(IdentificationFailure) -> IdentifiedCall {
    try identify(
      method: head.bytes[head.method], path: head.bytes[head.path], query: head.query.map { head.bytes[$0] })
  }

  /// Which operation a request calls. Methods and the literal segments of a path must stand as in the service
  /// model, byte for byte; labels are percent-decoded once.
  ///
  /// - Parameter query: what stands after the `?`.
  package static func identify(
    method: ArraySlice<UInt8>, path: ArraySlice<UInt8>, query: ArraySlice<UInt8>?
  ) throws(IdentificationFailure) -> IdentifiedCall {
    // The call that nearly all requests are, without a look at the others.
    if query == nil, path.span.equals("/app-instance-users"), method.span.equals("POST") {
      return plainCreateUser
    }
    let read: CanonicalQuery?
    do { read = try query.map { slice throws(QueryViolation) in try CanonicalQuery(parsing: slice) } } catch {
      throw .malformedQuery(error)
    }
    let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard segments.count > 1, segments[0].isEmpty,
      let operation = allCases.first(where: {
        $0.model.takes(method: method, segments: segments[1...], query: read)
      })
    else { throw .unknownOperation }
    return try IdentifiedCall(operation, segments: segments[1...], query: read)
  }

  private static let plainCreateUser = IdentifiedCall(
    operation: .createAppInstanceUser, pathMembers: [], queryMembers: [],
    upstreamPath: Operation.createAppInstanceUser.model.pathTemplate.utf8, upstreamQuery: [],
    queryViolation: nil)
}

extension OperationModel {
  fileprivate func takes(
    method: ArraySlice<UInt8>, segments path: ArraySlice<ArraySlice<UInt8>>, query: CanonicalQuery?
  ) -> Bool {
    guard path.count == segments.count, method.elementsEqual(self.method.name.utf8) else { return false }
    for (template, segment) in zip(segments, path) {
      switch template {
      case .literal(let literal): guard segment.elementsEqual(literal.utf8) else { return false }
      case .label: guard !segment.isEmpty else { return false }
      }
    }
    guard let discriminator else { return true }
    // Given twice it could mean either operation, so it means none.
    let given = query?.pairs.filter { $0.name == discriminator.name } ?? []
    return given.count == 1 && given[0].value == discriminator.value
  }
}

extension OperationModel {
  fileprivate func queryMember(_ wireName: Text) -> ModelMember? {
    input.members.first { member in
      if case .query(let name) = member.location { wireName.equals(name) } else { false }
    }
  }
}

extension IdentifiedCall {
  fileprivate init(
    _ operation: Operation, segments path: ArraySlice<ArraySlice<UInt8>>, query: CanonicalQuery?
  ) throws(IdentificationFailure) {
    let model = operation.model
    var members: [(name: Text, value: Text)] = []
    var upstream: [UInt8] = []
    for (template, segment) in zip(model.segments, path) {
      upstream.append(UInt8(ascii: "/"))
      switch template {
      case .literal(let literal):
        upstream.append(text: literal)
      case .label(let wireName):
        let value = try Self.decode(label: segment)
        PercentCoding.encode(value.utf8, into: &upstream)
        for member in model.input.members {
          if case .path(let name) = member.location, wireName.equals(name) {
            members.append((member.text, value))
          }
        }
      }
    }
    let read = Self.queryMembers(of: model, in: query)
    self.init(
      operation: operation, pathMembers: members, queryMembers: read.members, upstreamPath: upstream,
      upstreamQuery: query?.encoded ?? [], queryViolation: read.violation)
  }

  private static func decode(label: ArraySlice<UInt8>) throws(IdentificationFailure) -> Text {
    guard let decoded = PercentCoding.decode(label) else { throw .malformedLabel(.malformedPercentEncoding) }
    guard !decoded.contains(0), let text = Text(validating: decoded) else { throw .malformedLabel(.notText) }
    guard decoded != [0x2E], decoded != [0x2E, 0x2E] else { throw .malformedLabel(.dotSegment) }
    for (index, byte) in decoded.enumerated() where byte == UInt8(ascii: "%") {
      let digits = decoded[(index + 1)...].prefix(2)
      guard digits.count < 2 || digits.contains(where: { Hex.value(of: $0) == nil }) else {
        throw .malformedLabel(.doublePercentEncoding)
      }
    }
    return text
  }

  private static func queryMembers(
    of model: OperationModel, in query: CanonicalQuery?
  ) -> (members: [(name: Text, value: Text)], violation: ModelViolation?) {
    var members: [(name: Text, value: Text)] = []
    var violation: ModelViolation?
    var previous: Text?
    for (name, value) in query?.pairs ?? [] {
      // Pairs come sorted, so that equal names are neighbours.
      if name == previous {
        violation = violation ?? ModelViolation(.repeatedParameter, at: name.excerpt)
      } else if let member = model.queryMember(name) {
        members.append((member.text, value))
      } else if name != model.discriminator?.name {
        violation = violation ?? ModelViolation(.unknownParameter, at: name.excerpt)
      }
      previous = name
    }
    return (members, violation)
  }
}

extension Text {
  /// As much as a message should quote of a name that somebody else chose.
  var excerpt: String {
    let start = string.unicodeScalars.prefix(64)
    return String(start) + (start.endIndex < string.unicodeScalars.endIndex ? "…" : "")
  }
}

package import HTTPWire
internal import Primitives

extension Operation {
  /// Which operation a request calls, from its head.
  package static func identify(_ head: RequestHead) throws(IdentificationFailure) -> IdentifiedCall {
    let bytes = head.span
    guard let query = head.query else {
      return try identify(method: bytes[head.method], path: bytes[head.path], query: nil)
    }
    return try identify(method: bytes[head.method], path: bytes[head.path], query: bytes[query])
  }

  /// Which operation a request calls. Methods and the literal segments of a path must stand as in the service
  /// model, byte for byte; labels are percent-decoded once.
  ///
  /// - Parameter query: what stands after the `?`.
  package static func identify(
    method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>?
  ) throws(IdentificationFailure) -> IdentifiedCall {
    // The call that nearly all requests are, without a look at the others.
    if query == nil, path.equals("/app-instance-users"), method.equals("POST") {
      return IdentifiedCall(plain: .createAppInstanceUser)
    }
    return try identifyAny(method: method, path: path, query: query)
  }

  /// The same for those that have slices.
  package static func identify(
    method: ArraySlice<UInt8>, path: ArraySlice<UInt8>, query: ArraySlice<UInt8>?
  ) throws(IdentificationFailure) -> IdentifiedCall {
    guard let query else { return try identify(method: method.span, path: path.span, query: nil) }
    return try identify(method: method.span, path: path.span, query: query.span)
  }

  @inline(never)
  private static func identifyAny(
    method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>?
  ) throws(IdentificationFailure) -> IdentifiedCall {
    var read: CanonicalQuery?
    if let query {
      do { read = try CanonicalQuery(parsing: query.array[...]) } catch { throw .malformedQuery(error) }
    }
    for operation in allCases
    where OperationModel.table[Int(operation.rawValue)].takes(method: method, path: path, query: read) {
      return try IdentifiedCall(operation, path: path, query: read)
    }
    throw .unknownOperation
  }
}

extension OperationModel {
  fileprivate func takes(method: Span<UInt8>, path: Span<UInt8>, query: CanonicalQuery?) -> Bool {
    guard method.holds(self.method.name), takes(path: path) else { return false }
    guard let discriminator else { return true }
    // Given twice it could mean either operation, so it means none.
    let given = query?.pairs.filter { $0.name == discriminator.name } ?? []
    return given.count == 1 && given[0].value == discriminator.value
  }

  private func takes(path: Span<UInt8>) -> Bool {
    let template = pathTemplate.utf8.span
    var segments = PathSegments()
    while let segment = segments.next(template: template, path: path) {
      if segment.isLabel {
        if segment.path.isEmpty { return false }
      } else if !path.extracting(segment.path).holds(template.extracting(segment.template)) {
        return false
      }
    }
    return segments.isAtEnd(template: template, path: path)
  }
}

/// A walk through a path beside the template that it may fit, segment by segment.
private struct PathSegments {
  private var template = 0
  private var path = 0

  /// Where the next segments stand, without the slash before them; `nil` when one of the two has no more.
  mutating func next(
    template: Span<UInt8>, path: Span<UInt8>
  ) -> (template: Range<Int>, path: Range<Int>, isLabel: Bool)? {
    guard self.template < template.count, self.path < path.count,
      template[self.template] == UInt8(ascii: "/"), path[self.path] == UInt8(ascii: "/")
    else { return nil }
    let inTemplate = self.template + 1..<Self.end(of: template, from: self.template + 1)
    let inPath = self.path + 1..<Self.end(of: path, from: self.path + 1)
    self.template = inTemplate.upperBound
    self.path = inPath.upperBound
    let isLabel = !inTemplate.isEmpty && template[inTemplate.lowerBound] == UInt8(ascii: "{")
    return (inTemplate, inPath, isLabel)
  }

  func isAtEnd(template: Span<UInt8>, path: Span<UInt8>) -> Bool {
    self.template == template.count && self.path == path.count
  }

  private static func end(of bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < bytes.count, bytes[index] != UInt8(ascii: "/") { index += 1 }
    return index
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
  /// - Parameter path: one that the operation takes.
  fileprivate init(
    _ operation: Operation, path: Span<UInt8>, query: CanonicalQuery?
  ) throws(IdentificationFailure) {
    let model = operation.model
    if model.isPathConstant, query == nil {
      self.init(plain: operation)
      return
    }
    var members: [(name: Text, value: Text)] = []
    var upstream: [UInt8] = []
    let template = model.pathTemplate.utf8
    var segments = PathSegments()
    while let segment = segments.next(template: template.span, path: path) {
      upstream.append(UInt8(ascii: "/"))
      guard segment.isLabel else {
        upstream.append(contentsOf: template[segment.template])
        continue
      }
      let value = try Self.decode(label: path.extracting(segment.path).array)
      PercentCoding.encode(value.utf8, into: &upstream)
      // Without the braces.
      let wireName = template[segment.template].dropFirst().dropLast()
      for member in model.input.members {
        if case .path(let name) = member.location, wireName.span.equals(name) {
          members.append((member.text, value))
        }
      }
    }
    let read = Self.queryMembers(of: model, in: query)
    self.init(
      operation,
      Target(
        pathMembers: members, queryMembers: read.members, upstreamPath: upstream,
        upstreamQuery: query?.encoded ?? [], queryViolation: read.violation))
  }

  private static func decode(label: [UInt8]) throws(IdentificationFailure) -> Text {
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

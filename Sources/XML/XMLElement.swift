internal import CExpat

/// An element of a small XML document: its name without a prefix, the text directly in it, and the elements in it.
package struct XMLElement: Sendable, Hashable {
  package let name: String
  package fileprivate(set) var text = ""
  package fileprivate(set) var children: [XMLElement] = []

  fileprivate init(_ name: String) { self.name = name }

  /// The first child of that name.
  package subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The document's root element. Attributes are left out.
  ///
  /// - Throws: what is wrong, also when the document is larger or deeper than such answers are, or declares a type: with
  ///   that would come entities, which it could be made of without end.
  package static func parse(_ document: [UInt8]) throws(XMLFault) -> XMLElement {
    guard document.count <= XMLReader.largest else { throw .tooLarge }
    let reader = XMLReader()
    return try reader.read(document)
  }
}

package enum XMLFault: Error, Hashable, Sendable {
  case tooLarge
  case tooDeep
  /// It has a document type declaration.
  case declaresType
  /// Expat's words, and the line.
  case malformed(String, line: Int)
  case noMemory
}

extension XMLFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLarge: "longer than \(XMLReader.largest) bytes"
    case .tooDeep: "nested deeper than \(XMLReader.deepest) elements"
    case .declaresType: "it has a document type declaration"
    case .malformed(let reason, let line): "\(reason) in line \(line)"
    case .noMemory: "no memory"
    }
  }
}

/// Builds the elements from expat's callbacks.
private final class XMLReader {
  static let largest = 256 << 10
  static let deepest = 32

  /// From the root to the one that is open.
  private var open: [XMLElement] = []
  private var root: XMLElement?
  private var fault: XMLFault?
  private var parser: XML_Parser?

  deinit { if let parser { XML_ParserFree(parser) } }

  func read(_ document: [UInt8]) throws(XMLFault) -> XMLElement {
    // Names come as URI, separator and name.
    guard let parser = XML_ParserCreateNS(nil, XML_Char(bitPattern: Self.separator)) else { throw .noMemory }
    self.parser = parser
    XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
    XML_SetElementHandler(
      parser,
      { context, name, _ in XMLReader.from(context)?.begin(name) },
      { context, _ in XMLReader.from(context)?.end() })
    XML_SetCharacterDataHandler(parser) { context, text, count in
      XMLReader.from(context)?.append(text, count)
    }
    XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
      XMLReader.from(context)?.stop(.declaresType)
    }
    let status = document.withUnsafeBytes { bytes in
      XML_Parse(
        parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), Int32(XML_TRUE))
    }
    if let fault { throw fault }
    guard status == XML_STATUS_OK, let root else {
      let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unreadable"
      throw .malformed(reason, line: Int(XML_GetCurrentLineNumber(parser)))
    }
    return root
  }

  private static let separator = UInt8(ascii: "\n")

  private static func from(_ context: UnsafeMutableRawPointer?) -> XMLReader? {
    context.map { Unmanaged<XMLReader>.fromOpaque($0).takeUnretainedValue() }
  }

  private func begin(_ name: UnsafePointer<XML_Char>?) {
    guard let name else { return }
    guard open.count < Self.deepest else { return stop(.tooDeep) }
    let whole = String(cString: name)
    let separator = whole.utf8.lastIndex(of: Self.separator)
    open.append(XMLElement(String(separator.map { whole[whole.index(after: $0)...] } ?? whole[...])))
  }

  private func end() {
    guard let done = open.popLast() else { return }
    if open.isEmpty {
      root = done
    } else {
      open[open.count - 1].children.append(done)
    }
  }

  private func append(_ text: UnsafePointer<XML_Char>?, _ count: Int32) {
    guard let text, !open.isEmpty else { return }
    let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
    open[open.count - 1].text += String(decoding: bytes, as: UTF8.self)
  }

  private func stop(_ fault: XMLFault) {
    self.fault = self.fault ?? fault
    if let parser { XML_StopParser(parser, XML_Bool(XML_FALSE)) }
  }
}

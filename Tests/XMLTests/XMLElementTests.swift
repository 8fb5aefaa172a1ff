import Testing

@testable import XML

@Suite struct XMLElementTests {
  private func parse(_ text: String) throws -> XMLElement { try XMLElement.parse(Array(text.utf8)) }

  @Test func elementsHaveNamesTextAndChildrenWithoutPrefixes() throws {
    let root = try parse(
      #"<?xml version="1.0"?><a:Answer xmlns:a="urn:x" k="v"><Result><Id>A&amp;B</Id><Id>second</Id></Result></a:Answer>"#
    )
    #expect(root.name == "Answer")
    #expect(root["Result"]?["Id"]?.text == "A&B")
    #expect(root["Result"]?.children.count == 2)
    #expect(root["Nothing"] == nil)
  }

  @Test func aDocumentTypeIsRefused() throws {
    let bomb = #"<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>"#
    #expect(throws: XMLFault.declaresType) { try parse(bomb) }
  }

  @Test(arguments: ["", "<a>", "<a></b>", "<a/><b/>", "text", "<a>\u{0}</a>", "<a>&x;</a>"])
  func whatIsNotWellFormedIsRefused(_ text: String) throws {
    let fault = try #require(throws: XMLFault.self) { try parse(text) }
    guard case .malformed = fault else {
      Issue.record("\(fault)")
      return
    }
  }

  @Test func depthAndLengthAreBounded() throws {
    let deep = String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40)
    #expect(throws: XMLFault.tooDeep) { try parse(deep) }
    let long = "<a>" + String(repeating: "x", count: 256 << 10) + "</a>"
    #expect(throws: XMLFault.tooLarge) { try parse(long) }
  }
}

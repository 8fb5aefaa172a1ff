import Testing

@testable import ChimeIdentity

@Suite struct ByteClassTests {
  @Test(arguments: [
    (ByteClass.digit, "0123456789"), (.arnPart, "abcdefghijklmnopqrstuvwxyz0123456789-."),
    (.regionPart, "abcdefghijklmnopqrstuvwxyz0123456789-"),
    (.appInstanceId, "abcdefghijklmnopqrstuvwxyz0123456789-_"),
    (.requestToken, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
    (.userId, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.@"),
  ])
  func aClassHoldsItsBytesAndNoOthers(_ wanted: ByteClass, _ members: String) {
    for byte in UInt8.min...UInt8.max {
      let value = [byte]
      let isMember = ByteClasses.shared.areAll(wanted, value.span)
      #expect(isMember == members.utf8.contains(byte))
    }
    let none: [UInt8] = []
    let isEmptyWhole = ByteClasses.shared.areAll(wanted, none.span)
    let digits = Array("/1234/".utf8)
    let end = ByteClasses.shared.end(of: wanted, in: digits.span, from: 1)
    #expect(isEmptyWhole)
    #expect(end == 5)
  }
}

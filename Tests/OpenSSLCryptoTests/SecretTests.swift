import OpenSSLCrypto
import Testing

@Suite struct SecretTests {
  struct Holder {
    let name = "crm"
    let secret: Secret
  }

  @Test func isNeverPrinted() {
    let secret = Secret(Array("hunter2-hunter2".utf8))
    var dumped = ""
    dump(Holder(secret: secret), to: &dumped)
    let shown = [
      "\(secret)", String(describing: secret), String(reflecting: secret), String(describing: [secret]),
      String(reflecting: Holder(secret: secret)), "\(Optional(secret) as Any)", dumped,
      String(describing: Mirror(reflecting: secret).children.map { "\($0)" }),
    ]
    for text in shown {
      #expect(!text.contains("hunter2"))
      #expect(!text.contains("0x"))
    }
    #expect(secret.description == "[secret]")
  }

  @Test func givesItsBytesToWhoAsks() {
    let bytes = [UInt8](0...255)
    let secret = Secret(bytes)
    #expect(secret.count == 256)
    #expect(secret.withBytes { Array($0) } == bytes)
    #expect(Secret(bytes[10..<20]).withBytes { Array($0) } == Array(10..<20))
    #expect(Secret([]).withBytes { $0.count } == 0)
  }

  @Test func isComparedInConstantTimeAndWhole() {
    let secret = Secret([1, 2, 3])
    #expect(Secret.constantTimeEqual(secret, [1, 2, 3]))
    #expect(!Secret.constantTimeEqual(secret, [1, 2, 4]))
    #expect(!Secret.constantTimeEqual(secret, [0, 2, 3]))
    #expect(!Secret.constantTimeEqual(secret, [1, 2]))
    #expect(!Secret.constantTimeEqual(secret, [1, 2, 3, 0]))
    #expect(Secret.constantTimeEqual(Secret([]), []))
  }

  @Test func randomBytesAreAsManyAsAskedForAndDiffer() {
    #expect(randomBytes(0).isEmpty)
    #expect(randomBytes(33).count == 33)
    #expect(randomBytes(32) != randomBytes(32))
  }
}

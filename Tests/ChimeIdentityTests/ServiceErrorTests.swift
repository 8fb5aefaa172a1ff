import Testing

@testable import ChimeIdentity

@Suite struct ServiceErrorTests {
  @Test func aModelledErrorHasCodeAndMessage() {
    var out: [UInt8] = Array(">".utf8)
    ErrorBody.write(code: .accessDenied, message: #"no "x""#, into: &out)
    #expect(String(decoding: out, as: UTF8.self) == #">{"Code":"AccessDenied","Message":"no \"x\""}"#)
  }

  /// botocore's RestJSONParser takes the code from the header when the body has none, and `message` before `Message`.
  @Test func aFrontEndsErrorHasAMessageInBothSpellings() {
    var out: [UInt8] = []
    ErrorBody.write(code: ServiceError.invalidSignature.code, message: "m", into: &out)
    #expect(String(decoding: out, as: UTF8.self) == #"{"message":"m","Message":"m"}"#)
  }

  @Test func statusesAreThoseOfTheContract() {
    #expect(ServiceError.allCases.filter { $0.code == nil }.allSatisfy { [403, 404].contains($0.status) })
    #expect(ServiceError.throttledClient.status == 429 && ServiceError.throttledClient.code == .throttled)
    #expect(ServiceError.unknownOperation.status == 404)
  }
}

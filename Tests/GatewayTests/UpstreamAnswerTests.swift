import Primitives
import Testing

@testable import Gateway

@Suite struct UpstreamAnswerTests {
  @Test func onlyContentTypeRetryAfterAndAmazonsFieldsPass() throws {
    let answer = try upstreamAnswer(
      429,
      fields: """
        Server: upstream\r
        Content-Type: application/json\r
        Set-Cookie: a=b\r
        x-amzn-RequestId: 7a62c49f-347e-4fc4-9331-6e8eEXAMPLE\r
        X-AMZN-ErrorType: ThrottledClientException\r
        x-amzn-trace-id: Root=1-2\r
        Retry-After: 2\r
        x-gatehouse-request-id: made-up\r
        x-amz-id-2: abc\r
        Keep-Alive: timeout=5\r
        Connection: keep-alive\r
        Date: Mon, 23 Nov 2026 13:00:00 GMT\r

        """, body: "{}")
    let names = String(decoding: answer.fieldLines, as: UTF8.self).split(separator: "\r\n").compactMap {
      $0.split(separator: ":").first?.lowercased()
    }
    #expect(
      names == ["content-type", "x-amzn-requestid", "x-amzn-errortype", "x-amzn-trace-id", "retry-after"])
    #expect(answer.status == 429)
    #expect(answer.body == Array("{}".utf8))
    #expect(answer.text(answer.requestId) == "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE")
    #expect(answer.text(answer.errorType) == "ThrottledClientException")
  }

  @Test func anAnswerWithoutThemHasNone() throws {
    let answer = try upstreamAnswer(204)
    #expect(answer.fieldLines.isEmpty)
    #expect(answer.requestId == nil)
    #expect(answer.errorType == nil)
  }
}

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

  @Test(arguments: [(201, "{\"a\":1}"), (400, ""), (204, "")])
  func whatIsKeptForRepeatsSaysTheSame(_ status: Int, _ body: String) throws {
    let answer = try upstreamAnswer(
      status,
      fields: "Server: upstream\r\nx-amzn-RequestId: 7a62c49f\r\nX-AMZN-ErrorType: A\r\nRetry-After: 2\r\n",
      body: body)
    var kept = ByteBuffer()
    answer.append(kept: &kept)
    let read = try #require(UpstreamAnswer(kept: kept.array))
    #expect(read.answered == answer.answered && read.status == answer.status && read.body == answer.body)
    #expect(read.fieldLines == answer.fieldLines)
    #expect(read.text(read.requestId) == "7a62c49f" && read.text(read.errorType) == "A")
    #expect(UpstreamAnswer(kept: []) == nil && UpstreamAnswer(kept: Array(kept.array.prefix(20))) == nil)
  }

  @Test func anAnswerWithoutThemHasNone() throws {
    let answer = try upstreamAnswer(204)
    #expect(answer.fieldLines.isEmpty)
    #expect(answer.requestId == nil)
    #expect(answer.errorType == nil)
  }
}

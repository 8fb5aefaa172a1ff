import AuditTrail
import Primitives
import Testing

@Suite struct RequestCSVTests {
  @Test func cellsAreQuotedAndFormulasDisarmed() throws {
    var request = exampleRequest()
    request.actor = "=cmd|' /C calc'!A0"
    request.name = "Alice, \"the\"\nfirst"
    request.userAgent = "-1+1"
    let record = try record(request.intentRecord(under: Sensitivity()))
    let row = String(decoding: RequestHistory(first: record, second: nil).csv, as: UTF8.self)
    #expect(
      row.hasPrefix("2026-11-23T13:00:00.123Z,00000001-0000-4000-8000-000100000000,crm,GHAKCRM00000000001,"))
    #expect(row.contains(",'=cmd|' /C calc'!A0,127.0.0.1,'-1+1,"))
    #expect(row.contains(#","Alice, ""the""\#nfirst","{""CostCenter"":""4711""}",30,allowed,"#))
    #expect(row.contains(",unknown,"))
    #expect(row.hasSuffix("\r\n"))
  }

  @Test func headerNamesTheColumns() {
    let header = String(decoding: RequestHistory.csvHeader, as: UTF8.self)
    #expect(header.hasPrefix("time,requestId,tenant,"))
    #expect(header.hasSuffix("\r\n"))
  }
}

import Configuration
import OpenSSLCrypto
import Testing

@Suite("The store of limits")
struct StoreConfigurationTests {
  @Test("Problems are named with their place, and passwords nowhere", arguments: table)
  func problems(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["gatehouse.json"] = configuration(with: "\"rateLimit\": { \"store\": \(row.line) }")
    files.contents["empty"] = " \n"
    files.contents["store.key"] = "hidden\n"
    let (loaded, problems) = load(files, environment: ["STORE": "redis://user:hidden@store.example"])
    #expect(problems == row.problems.map { "gatehouse.json:" + $0 })
    #expect((loaded == nil) == row.problems.contains { $0.contains(": error: ") })
    #expect(!problems.contains { $0.contains("hidden") })
  }

  @Test("A URL says whom it is for")
  func parts() throws {
    var files = goodFiles()
    files.contents["gatehouse.json"] = configuration(
      with: #"""
        "rateLimit": { "store": { "type": "redis", "url": ["rediss://gw@A.example/3", "rediss://gw@[::1]:7000/3"],
          "passwordFile": "store.key", "sentinel": "main", "prefix": "p:", "timeout": "20ms" } }
        """#)
    files.contents["store.key"] = "hidden\n"
    let (loaded, problems) = load(files, environment: [:])
    #expect(problems == [])
    guard case .redis(let store)? = loaded?.configuration.rateLimit.store else {
      Issue.record("no store")
      return
    }
    #expect(store.urls.map(\.address) == ["a.example:6379", "[::1]:7000"])
    #expect(store.urls.allSatisfy { $0.usesTLS && $0.user == "gw" && $0.database == 3 })
    #expect(store.topology == .sentinel(master: "main"))
    #expect(store.password?.count == 6)
    #expect(store.prefix == "p:")
    #expect(store.timeout == .milliseconds(20))
  }

  static let table: [ExtraLine] = [
    .init(#"{ "type": "redis", "url": "redis://localhost" }"#),
    .init(#"{ "type": "redis", "url": ["redis://[::1]:6380/3", "redis://127.0.0.1/3"] }"#),
    .init(#"{ "type": "redis", "url": "rediss://store.example", "cluster": true }"#),
    .init(
      #"{ "type": "redis" }"#,
      #"6:27: error: missing key "url": a URL such as "redis://user@host:6379/0" or "rediss://host", or a list of such"#
    ),
    .init(
      #"{ "type": "redis", "url": [] }"#,
      #"6:53: error: expected a list of at least one URL, found an empty list"#
    ),
    .init(
      #"{ "type": "redis", "url": "localhost:6379" }"#,
      #"6:53: error: expected a URL such as "redis://user@host:6379/0" or "rediss://host", found another string"#
    ),
    .init(
      #"{ "type": "redis", "url": "http://localhost:6379" }"#,
      #"6:53: error: expected a URL such as "redis://user@host:6379/0" or "rediss://host", found another scheme"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://:hidden@localhost" }"#,
      #"6:53: error: a store's URL has no password; expected it in the file of "passwordFile""#
    ),
    .init(
      #"{ "type": "redis", "url": "${ENV:STORE}" }"#,
      #"6:53: error: a store's URL has no password; expected it in the file of "passwordFile""#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://gw@localhost" }"#,
      #"6:53: error: a store's URL with a user needs "passwordFile""#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost/x" }"#,
      #"6:53: error: expected the number of a database, 0 to 9999, behind the host of a store's URL"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost?db=1" }"#,
      #"6:53: error: a store's URL has neither query nor fragment; its settings are keys beside it"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost:0" }"#,
      #"6:53: error: expected a port from 1 to 65535, found "localhost:0""#
    ),
    .init(
      #"{ "type": "redis", "url": ["redis://localhost", "rediss://localhost"] }"#,
      #"6:53: error: the URLs of one store differ in host and port only; expected one scheme, user and database"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost/1", "cluster": true }"#,
      #"6:53: error: a cluster has one database; expected a URL without a number behind the host"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost", "cluster": true, "sentinel": "m" }"#,
      #"6:103: error: only one of "sentinel" and "cluster": true may be given"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost", "caFile": "ca.pem" }"#,
      #"6:84: error: "caFile" is for TLS; expected a URL with the scheme rediss"#,
      #"6:84: error: cannot read "ca.pem": no such file or directory"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost", "passwordFile": "empty" }"#,
      #"6:90: error: expected a password in "empty", one line of text"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://store.example" }"#,
      #"6:53: warning: the store is on another machine, and without TLS others can read and change what is counted; expected the scheme rediss"#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost", "prefix": "a{b}", "timeout": "0s" }"#,
      #"6:84: error: expected 1 to 64 printable ASCII characters without spaces and "{}*?[]\", found "a{b}""#,
      #"6:103: error: expected a positive duration such as "250ms", "10s", "5m", "24h" or "7d", found "0s""#
    ),
    .init(
      #"{ "type": "redis", "url": "redis://localhost", "pasword": "x" }"#,
      #"6:74: error: unknown key "pasword" in type "redis"; did you mean "passwordFile"?"#
    ),
  ]
}

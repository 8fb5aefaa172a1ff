import Primitives
import Testing

@testable import ServiceManager

@Suite struct ServiceVariablesTests {
  private func read(_ variables: [String: String]) throws(ServiceFault) -> ServiceVariables {
    try ServiceVariables(variables, processID: 4711)
  }

  @Test func nothingIsSaid() throws {
    let said = try read([:])
    #expect(said.notifySocket == nil && said.watchdog == nil && said.sockets.isEmpty)
    #expect(try read(["NOTIFY_SOCKET": ""]).notifySocket == nil)
  }

  @Test func watchdogIsForTheProcessThatIsNamed() throws {
    #expect(try read(["WATCHDOG_USEC": "30000000"]).watchdog == 30_000_000_000)
    #expect(try read(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "4711"]).watchdog == 30_000_000_000)
    #expect(try read(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "4712"]).watchdog == nil)
    for text in ["", "0", "-1", "30s", "99999999999999999999", "9223372036854775807"] {
      #expect(throws: ServiceFault.self, "\(text)") { try read(["WATCHDOG_USEC": text]) }
    }
  }

  @Test func socketsAreFromThreeOn() throws {
    let said = try read(["LISTEN_FDS": "3", "LISTEN_PID": "4711", "LISTEN_FDNAMES": "admin::a"])
    #expect(
      said.sockets == [
        .init(descriptor: 3, name: "admin"), .init(descriptor: 4, name: ""), .init(descriptor: 5, name: "a"),
      ])
    let unnamed = try read(["LISTEN_FDS": "1", "LISTEN_PID": "4711"])
    #expect(unnamed.sockets == [.init(descriptor: 3, name: "unknown")])
    #expect(try read(["LISTEN_FDS": "0", "LISTEN_PID": "4711", "LISTEN_FDNAMES": ""]).sockets.isEmpty)
  }

  /// An environment that was passed on says nothing of what this process has open.
  @Test func socketsOfAnotherProcessAreNotOurs() throws {
    for pid in ["4712", "", "x", "1"] {
      #expect(try read(["LISTEN_FDS": "1", "LISTEN_PID": pid]).sockets.isEmpty)
    }
    #expect(try read(["LISTEN_FDS": "1"]).sockets.isEmpty)
  }

  @Test(arguments: ["-1", "", "one", "1025", "2147483647", "99999999999"])
  func countsThatAreNoneAreErrors(_ count: String) {
    #expect(throws: ServiceFault.self) { try read(["LISTEN_FDS": count, "LISTEN_PID": "4711"]) }
  }

  @Test(arguments: ["", "a:b:c", ":::"]) func eachSocketHasAName(_ names: String) {
    #expect(throws: ServiceFault.self) {
      try read(["LISTEN_FDS": "2", "LISTEN_PID": "4711", "LISTEN_FDNAMES": names])
    }
  }
}

@Suite struct ServiceMessageTests {
  @Test func messagesAreAsTheProtocolHasThem() {
    #expect(ServiceMessage.ready(status: "Serving").text == "READY=1\nSTATUS=Serving")
    #expect(
      ServiceMessage.reloading(at: MonotonicInstant(nanoseconds: 12_345_678)).text
        == "RELOADING=1\nMONOTONIC_USEC=12345\nSTATUS=Reloading")
    #expect(ServiceMessage.alive.text == "WATCHDOG=1")
  }

  @Test func aStatusIsOneLine() {
    #expect(ServiceMessage.stopping(status: "a\nREADY=1\u{7F}").text == "STOPPING=1\nSTATUS=a READY=1 ")
  }

  @Test func addresses() {
    #expect(ServiceNotifier.address("/run/x")?.dropFirst(2) == Array("/run/x\0".utf8)[...])
    #expect(ServiceNotifier.address("@abstract")?.dropFirst(2) == Array("\0abstract".utf8)[...])
    #expect(ServiceNotifier.address("@" + String(repeating: "a", count: 107)) != nil)
    #expect(ServiceNotifier.address("/" + String(repeating: "a", count: 106)) != nil)
    for path in [
      "", "/", "@", "run/x", "vsock:2:3", "/a\0b", "@" + String(repeating: "a", count: 108),
      "/" + String(repeating: "a", count: 107),
    ] {
      #expect(ServiceNotifier.address(path) == nil, "\(path)")
    }
  }
}

@Suite struct LoopWatchdogTests {
  private func at(_ seconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
  }

  @Test func signsComeAtHalfTheTime() {
    var dog = LoopWatchdog(timeout: 10_000_000_000, loops: 1, now: at(0))
    let signs = (1...30).filter { dog.turned(0, now: at(Int64($0))) }
    #expect(signs == [5, 10, 15, 20, 25, 30])
  }

  @Test func aLoopThatHangsKeepsThemBack() {
    var dog = LoopWatchdog(timeout: 10_000_000_000, loops: 2, now: at(0))
    var signs: [Int64] = []
    func turn(_ loop: Int, _ second: Int64) {
      if dog.turned(loop, now: at(second)) { signs.append(second) }
    }
    turn(0, 5)
    turn(1, 6)
    for second in Int64(7)...60 { turn(0, second) }
    #expect(signs == [6])
    // And when it goes on they do.
    turn(1, 61)
    #expect(signs == [6, 61])
  }
}

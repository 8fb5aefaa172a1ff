internal import ServiceManager

/// An environment, a line for each variable: what a service manager says is for this process alone, and names descriptors
/// that the process has.
func checkServiceVariables(_ bytes: [UInt8]) throws(Disagreement) {
  var variables: [String: String] = [:]
  for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
    guard let sign = line.firstIndex(of: "=") else { continue }
    variables[String(line[..<sign])] = String(line[line.index(after: sign)...])
  }
  let read: ServiceVariables
  do throws(ServiceFault) {
    read = try ServiceVariables(variables, processID: processID)
  } catch {
    let blamed = ["WATCHDOG_USEC is", "LISTEN_FDS is", "LISTEN_FDNAMES is"].filter {
      "\(error)".hasPrefix($0)
    }
    if blamed.count != 1 { throw Disagreement(description: "\(error) blames none of the variables") }
    return
  }
  try expect(read.notifySocket != "", "an empty socket is none")
  let expected = sockets(in: variables)
  try expect(read.sockets == expected, "\(read.sockets) were read, and \(expected) passed")
  if let watchdog = read.watchdog {
    let written = number(variables["WATCHDOG_USEC"] ?? "").map { $0 &* 1000 }
    try expect(watchdog > 0 && watchdog == written, "a watchdog of \(watchdog)")
  }
}

private let processID: Int32 = 4711

/// As sd_listen_fds(3) has it, read byte by byte.
private func sockets(in variables: [String: String]) -> [ServiceVariables.Socket] {
  guard let meant = variables["LISTEN_PID"], number(meant) == Int64(processID),
    let count = number(variables["LISTEN_FDS"] ?? ""), count > 0
  else { return [] }
  var names: [[UInt8]] = [[]]
  for byte in (variables["LISTEN_FDNAMES"] ?? "").utf8 {
    if byte == UInt8(ascii: ":") { names.append([]) } else { names[names.count - 1].append(byte) }
  }
  return (0..<count).map { place in
    let name = variables["LISTEN_FDNAMES"] == nil ? "unknown" : shown(names[Int(place)])
    return ServiceVariables.Socket(descriptor: Int32(3 + place), name: name)
  }
}

/// Digits behind a sign or none.
private func number(_ text: String) -> Int64? {
  var (value, digits, sign): (Int64, Int, Int64) = (0, 0, 1)
  for (place, byte) in text.utf8.enumerated() {
    switch byte {
    case UInt8(ascii: "-") where place == 0: sign = -1
    case UInt8(ascii: "+") where place == 0: break
    case 0x30...0x39:
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isOver) = product.addingReportingOverflow(sign * Int64(byte - 0x30))
      guard !isTooLarge, !isOver else { return nil }
      (value, digits) = (sum, digits + 1)
    default: return nil
    }
  }
  return digits > 0 ? value : nil
}

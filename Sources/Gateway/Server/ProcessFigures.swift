internal import Configuration
internal import Glibc
internal import Primitives

/// What the kernel knows of the process, as Prometheus' client libraries report it.
struct ProcessFigures: Sendable {
  let cpuSeconds: Double
  let residentBytes: Int64
  let virtualBytes: Int64
  let startSeconds: Int64
  let openDescriptors: Int64
  let mostDescriptors: Int64

  /// `nil` without `/proc`.
  init?() {
    let files = DiskFiles()
    guard let own = try? files.read("/proc/self/stat").bytes,
      let kernel = try? files.read("/proc/stat").bytes,
      let descriptors = try? files.names(in: "/proc/self/fd").count
    else { return nil }
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    // One of them is the folder that was read.
    self.init(
      stat: own, kernel: kernel, ticks: Int64(sysconf(Int32(_SC_CLK_TCK))),
      pageSize: Int64(sysconf(Int32(_SC_PAGESIZE))), openDescriptors: Int64(descriptors - 1),
      mostDescriptors: Int64(clamping: limit.rlim_cur))
  }

  /// - Parameters:
  ///   - stat: `/proc/self/stat`, see proc(5).
  ///   - kernel: `/proc/stat`, where `btime` is when the machine started.
  ///   - ticks: a second.
  init?(
    stat: [UInt8], kernel: [UInt8], ticks: Int64, pageSize: Int64, openDescriptors: Int64,
    mostDescriptors: Int64
  ) {
    // The program's name, in parentheses, may hold anything; behind it the third field comes first.
    guard let end = stat.lastIndex(of: UInt8(ascii: ")")), ticks > 0 else { return nil }
    let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " ")).map {
      Int64(String(decoding: $0, as: UTF8.self))
    }
    func field(_ number: Int) -> Int64? { number - 3 < fields.count ? fields[number - 3] : nil }
    let boot = kernel.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "btime ".utf8) }
    guard let user = field(14), let system = field(15), let start = field(22), let virtual = field(23),
      let resident = field(24), let boot,
      let began = Int64(String(decoding: boot.dropFirst(6), as: UTF8.self))
    else { return nil }
    cpuSeconds = Double(user + system) / Double(ticks)
    startSeconds = began + start / ticks
    virtualBytes = virtual
    residentBytes = resident * pageSize
    self.openDescriptors = openDescriptors
    self.mostDescriptors = mostDescriptors
  }
}

internal import FuzzTargets
internal import Glibc

/// libFuzzer with the target after which the program is named: `requests`, for instance, which Fuzz/run.py makes a link
/// of. So whatever starts it again (`-minimize_crash`, `-merge`, `-fork`) starts the same target.
@main
enum Fuzzer {
  // Written before libFuzzer starts, on the only thread there is; read by what it calls.
  nonisolated(unsafe) fileprivate static var target = FuzzTarget.requests

  static func main() {
    guard let target = FuzzTarget(program: CommandLine.arguments.first ?? "") else {
      let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
      print("the program has to bear the name of a target: \(known)")
      exit(64)
    }
    self.target = target
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer? = CommandLine.unsafeArgv
    exit(runDriver(&count, &arguments, checkOne))
  }
}

private func checkOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do throws(Disagreement) {
    try Fuzzer.target.check(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch {
    // libFuzzer keeps the input of a process that ends so.
    fatalError("\(Fuzzer.target): \(error)")
  }
  return 0
}

/// libFuzzer's entry for programs that have a `main` of their own (FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ check: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

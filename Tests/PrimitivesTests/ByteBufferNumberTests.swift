import Primitives
import Testing

@Suite struct ByteBufferNumberTests {
  private func text(_ body: (inout ByteBuffer) -> Void) -> String {
    var bytes = ByteBuffer()
    body(&bytes)
    return String(decoding: bytes.array, as: UTF8.self)
  }

  @Test func decimalDigitsAreThoseOfTheNumber() {
    var numbers = [0, 1, 9, 10, 99, 100, 101, 201, 999, 1000, Int.max, Int.min, -1, -10]
    for shift in 0..<63 { numbers += [1 << shift, (1 << shift) - 1, -(1 << shift)] }
    for number in numbers { #expect(text { $0.append(decimal: number) } == "\(number)") }
  }

  @Test func hexadecimalDigitsAreThoseOfTheNumber() {
    var number: UInt64 = 0x0123_4567_89AB_CDEF
    for _ in 0..<1000 {
      number = number &* 0x9E37_79B9_7F4A_7C15 &+ 1
      let digits = String(number, radix: 16)
      let padded = String(repeating: "0", count: 16 - digits.count) + digits
      #expect(text { $0.append(hex: number) } == padded)
      #expect(text { $0.append(hex: number, digits: 5) } == String(padded.suffix(5)))
    }
  }

  @Test func requestIDIsWrittenAsItsText() {
    struct Numbers: Entropy {
      let number: UInt64
      func next() -> UInt64 { number }
    }
    for number in [0, UInt64.max, 0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210] {
      let id = RequestID(from: Numbers(number: number))
      #expect(text { $0.append(id) } == id.text.string)
    }
  }
}

import Primitives
import RedisWire
import Testing

@Test("A command's arguments stand behind their lengths, whatever they hold")
func argumentsMeanNothing() {
  var out = ByteBuffer()
  out.begin(redisCommand: 4)
  out.append(argument: "SET")
  out.append(argument: Array("a\r\n$1\r\n".utf8))
  out.append(argument: -105)
  out.append(argument: 0)
  #expect(
    String(decoding: out.array, as: UTF8.self)
      == "*4\r\n$3\r\nSET\r\n$7\r\na\r\n$1\r\n\r\n$4\r\n-105\r\n$1\r\n0\r\n")
}

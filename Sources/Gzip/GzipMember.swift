internal import CZlib

/// A gzip file of one member (RFC 1952). It bears no time, so that the same content gives the same bytes
/// (docs/decisions/0041).
package enum GzipMember {
  /// - Returns: `nil` when there is no memory for it.
  package static func compressing(_ content: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    guard gh_gzip_init(&stream) == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    // The bound holds for one call with all of the input, so the call needs no second one.
    let bound = Int(deflateBound(&stream, uLong(content.count)))
    var input = content
    let isWhole = input.count <= UInt32.max && bound <= UInt32.max
    guard isWhole else { return nil }
    let inputCount = input.count
    return input.withUnsafeMutableBufferPointer { source in
      var result = Z_OK
      let bytes = [UInt8](unsafeUninitializedCapacity: bound) { target, count in
        stream.next_in = source.baseAddress
        stream.avail_in = uInt(inputCount)
        stream.next_out = target.baseAddress
        stream.avail_out = uInt(bound)
        result = deflate(&stream, Z_FINISH)
        count = bound - Int(stream.avail_out)
      }
      return result == Z_STREAM_END ? bytes : nil
    }
  }

  /// - Parameter limit: what the content may take at most.
  /// - Returns: `nil` when `file` is not one whole member, or its content is larger.
  package static func decompressing(_ file: [UInt8], limit: Int) -> [UInt8]? {
    var stream = z_stream()
    guard file.count <= UInt32.max, limit < UInt32.max, gh_gunzip_init(&stream) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var input = file
    let inputCount = input.count
    return input.withUnsafeMutableBufferPointer { source in
      var result = Z_OK
      let bytes = [UInt8](unsafeUninitializedCapacity: limit) { target, count in
        stream.next_in = source.baseAddress
        stream.avail_in = uInt(inputCount)
        stream.next_out = target.baseAddress
        stream.avail_out = uInt(limit)
        result = inflate(&stream, Z_FINISH)
        count = limit - Int(stream.avail_out)
      }
      return result == Z_STREAM_END && stream.avail_in == 0 ? bytes : nil
    }
  }
}

internal import COpenSSL

/// Bytes from OpenSSL's random generator, for keys and secrets.
package func randomBytes(_ count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    let done = RAND_bytes(buffer.baseAddress, Int32(count))
    precondition(done == 1, "OpenSSL's random generator failed")
    initialized = count
  }
}

/// Fills `buffer` from OpenSSL's random generator. `false` when the generator failed; then nothing in it is random.
package func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
  guard let start = buffer.baseAddress else { return true }
  return RAND_bytes(start.assumingMemoryBound(to: UInt8.self), Int32(buffer.count)) == 1
}

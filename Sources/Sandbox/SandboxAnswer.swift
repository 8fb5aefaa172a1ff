package import ChimeIdentity
internal import Primitives
internal import StrictJSON

/// What the sandbox answers when it has done what was asked: a status and a JSON body, empty for 204.
package struct SandboxAnswer: Sendable, Hashable {
  package let status: Int
  package let body: [UInt8]
}

/// Why the sandbox, as the service would, does not do what was asked.
package struct SandboxFailure: Error, Sendable, Hashable {
  package let error: ServiceError
  /// Lower case, no full stop.
  package let message: String

  init(_ error: ServiceError, _ message: String) {
    self.error = error
    self.message = message
  }

  var body: [UInt8] {
    var out: [UInt8] = []
    ErrorBody.write(code: error.code, message: message, into: &out)
    return out
  }
}

extension JSONWriter {
  mutating func member(_ key: StaticString, _ value: Text) {
    self.key(key)
    string(value)
  }

  mutating func member(_ key: StaticString, ifAny value: Text?) {
    if let value { member(key, value) }
  }

  /// REST-JSON's form of a timestamp: seconds since 1970, here with milliseconds.
  mutating func member(_ key: StaticString, _ time: WallClockTime) {
    self.key(key)
    real(Double(time.nanoseconds / 1_000_000) / 1000)
  }

  mutating func member(_ key: StaticString, _ value: StaticString) {
    self.key(key)
    string(value)
  }

  mutating func member(_ key: StaticString, _ value: Int) {
    self.key(key)
    integer(value)
  }

  mutating func object(_ key: StaticString, _ write: (inout JSONWriter) -> Void) {
    self.key(key)
    beginObject()
    write(&self)
    endObject()
  }

  /// One page of a list, and what leads to the next.
  mutating func list<Record>(
    _ key: StaticString, _ listing: Listing<Record>, _ write: (inout JSONWriter, Record) -> Void
  ) {
    self.key(key)
    beginArray()
    for record in listing.records {
      beginObject()
      write(&self, record)
      endObject()
    }
    endArray()
    member("NextToken", ifAny: listing.nextToken)
  }
}

package import Logging
package import Primitives
internal import StrictJSON

/// swift-log's messages as one JSON object a line: time, level, message, then the metadata.
package struct JSONLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level
  private let sink: LogSink
  private let clock: any TimeSource

  package init(sink: LogSink, clock: any TimeSource, level: Logger.Level) {
    self.sink = sink
    self.clock = clock
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("time")
    writer.string(clock.wallClock().rfc3339)
    writer.key("level")
    writer.string(event.level.rawValue)
    writer.key("message")
    writer.string(event.message.description)
    let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      writer.key(text: Text(key))
      writer.string(value.description)
    }
    writer.endObject()
    var line = writer.bytes
    line.append("\n")
    sink.write(line)
  }
}

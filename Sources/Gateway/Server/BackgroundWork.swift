/// What goes on beside serving and no request waits for. It gets a thread of its own, of lower
/// priority than those that serve, once the gateway listens.
package protocol BackgroundWork: Sendable {
  /// Works until `stop` is called.
  func run()
  /// Called when the gateway begins to drain, on a thread that serves: it must not wait.
  func stop()
}

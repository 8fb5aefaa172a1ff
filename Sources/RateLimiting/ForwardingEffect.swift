/// What the attempts before the last one may have left behind upstream, which the last one's answer does not tell.
package enum AttemptTraces: Comparable, Sendable {
  /// Nothing: there were none, they did not reach upstream, or it turned them away (429).
  case none
  /// Upstream answered that it had failed (5xx), which does not say how far it got.
  case failed
  /// Upstream may have carried one out whose answer was lost.
  case lost
}

/// What upstream has done of a forwarded request, as far as its attempts tell.
package enum ForwardingEffect: Sendable, Hashable {
  case succeeded
  /// Upstream said no, and did nothing.
  case rejected
  /// Upstream said that it failed.
  case failed
  /// It may have been carried out.
  case unknown
  /// Nothing was sent.
  case notForwarded

  /// - Parameters:
  ///   - status: of upstream's last answer.
  ///   - traces: of the attempts before that one.
  ///   - isRead: a request that changes nothing leaves nothing behind.
  package init(answered status: Int, after traces: AttemptTraces, isRead: Bool) {
    if (200..<300).contains(status) {
      self = .succeeded
    } else {
      let answered: Self = status >= 500 ? .failed : .rejected
      // A refusal or a failure after an attempt that may have been carried out does not say that nothing was done.
      switch isRead ? .none : traces {
      case .none: self = answered
      case .failed: self = answered == .failed ? .failed : .unknown
      case .lost: self = .unknown
      }
    }
  }

  /// Of a request that got no answer.
  package init(unanswered failure: ForwardingMachine.Failure) {
    switch failure {
    case .unreachable, .tooSlow(sent: false): self = .notForwarded
    case .lost, .unreadable, .tooSlow(sent: true): self = .unknown
    }
  }
}

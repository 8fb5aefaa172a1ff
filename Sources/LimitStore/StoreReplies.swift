internal import Primitives
internal import RedisWire
internal import SharedLimits
internal import Transport

// What the store says.
extension StoreClient {
  func take(_ reply: RedisReply, from link: StoreLink, now: MonotonicInstant) throws(StoreFailure) {
    guard let kind = expected.popFirst()?.kind else { throw .unexpected }
    if case .error(let error) = reply {
      switch kind {
      case .decisions(let questions): return try refused(questions, error, link, now: now)
      case .look(let question): return try refused([question], error, link, now: now)
      case .gateways, .script, .done: break
      }
      if error.code == "NOSCRIPT" { return loadScript(over: link) }
      guard error.isOfOneRequest else { throw .refused(error) }
      return health.faulted(error.shown, now: now)
    }
    switch kind {
    case .decisions(let questions): try answer(questions, reply, now: now)
    case .look(let question): try answer([question], reply, now: now)
    case .gateways:
      guard let gateways = reply.integer else { throw .unexpected }
      health.saw(gateways: Int(clamping: gateways))
    case .script:
      isScriptComing = false
    case .done: break
    }
  }

  private func answer(
    _ questions: [StoreQuestion], _ reply: RedisReply, now: MonotonicInstant
  ) throws(StoreFailure) {
    guard case .integers(let numbers) = reply else { return try stray(questions) }
    var reader = DecisionReader(numbers)
    for (place, question) in questions.enumerated() {
      let decision =
        question.ticket == nil
        ? reader.decision(about: question.buckets) : reader.look(at: question.buckets[0])
      guard let decision else { return try stray(questions[place...]) }
      record(now.nanoseconds - question.askedAt)
      question.end(decision)
    }
    guard reader.isAtEnd else { throw .unexpected }
  }

  /// That is no answer to these.
  private func stray(_ questions: some Sequence<StoreQuestion>) throws(StoreFailure) {
    lose(questions)
    throw .unexpected
  }

  private func refused(
    _ questions: [StoreQuestion], _ error: RedisError, _ link: StoreLink, now: MonotonicInstant
  ) throws(StoreFailure) {
    let isUnknown = error.code == "NOSCRIPT"
    if isUnknown { loadScript(over: link) }
    for question in questions {
      if (isUnknown || questions.count > 1) && !question.isRepeated && (isUnknown || error.isOfOneRequest) {
        // It may be for one of them that nothing was said of any.
        question.isRepeated = true
        ask(question)
        if !isUnknown { endCall(over: link) }
      } else {
        question.end(nil)
      }
    }
    guard !isUnknown, questions.count == 1 || !error.isOfOneRequest else { return }
    guard error.isOfOneRequest else { throw .refused(error) }
    health.faulted(error.shown, now: now)
  }

  /// What is sent behind it finds the script there.
  private func loadScript(over link: StoreLink) {
    guard !isScriptComing else { return }
    isScriptComing = true
    out.append(loadingOf: LimitScript.text)
    expected.append(.script, by: loop.turnBegan.nanoseconds + settings.timeout)
  }
}

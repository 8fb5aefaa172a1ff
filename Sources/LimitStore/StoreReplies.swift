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

  /// The server could not decide on any of them. They are asked about once more: with the script, if it was gone, and
  /// otherwise each by itself, since it may be for one of them that nothing was said of the others.
  private func refused(
    _ questions: [StoreQuestion], _ error: RedisError, _ link: StoreLink, now: MonotonicInstant
  ) throws(StoreFailure) {
    let isScriptGone = error.code == "NOSCRIPT"
    let mayRepeat = isScriptGone || (error.isOfOneRequest && questions.count > 1)
    guard mayRepeat, !questions.contains(where: \.isRepeated) else {
      for question in questions { question.end(nil) }
      guard error.isOfOneRequest else { throw .refused(error) }
      return health.faulted(error.shown, now: now)
    }
    if isScriptGone { loadScript(over: link) }
    endCall(over: link)
    for question in questions {
      question.isRepeated = true
      ask(question)
      if !isScriptGone { endCall(over: link) }
    }
  }

  /// What is sent behind it finds the script there.
  private func loadScript(over link: StoreLink) {
    guard !isScriptComing else { return }
    isScriptComing = true
    out.append(loadingOf: LimitScript.text)
    expected.append(.script, by: loop.turnBegan.nanoseconds + settings.timeout)
  }
}

internal import AuditTrail
internal import Primitives
internal import StrictJSON

/// What `/api/requests` answers.
struct RequestPage {
  /// Newest first.
  var requests: [RequestHistory] = []
  /// Whether everything was looked through as far as the last of them; otherwise the time was over.
  var isComplete = true
  /// Whether there are others behind them.
  var hasMore = false
  /// Where to go on; `nil`: there is no more.
  var next: RequestQuery.Cursor?
  /// Lines of the journal that are no records.
  var unreadable = 0
  /// Records that told of such a request before they were altered.
  var altered: [Int] = []

  var json: [UInt8] {
    JSONWriter.object { writer in
      writer.array("requests", requests) { $0.raw($1.json) }
      writer.member("next", next?.written)
      writer.member("complete", isComplete)
      writer.member("unreadable", unreadable)
      writer.array("altered", altered) { $0.integer($1) }
    }
  }
}

extension RequestHistory {
  /// What `/api/requests/ID` answers: the request, the records that tell of it, and how far it got.
  var fullJSON: [UInt8] {
    let journey = RequestJourney(of: self)
    return JSONWriter.object { writer in
      writer.key("request")
      writer.raw(json)
      writer.objects("stages", RequestJourney.Stage.allCases) { writer, stage in
        writer.member("stage", stage.rawValue)
        writer.member("standing", journey.standing(at: stage).rawValue)
      }
      writer.array("records", [first, second, finding].compactMap(\.self)) { $0.raw($1.line) }
    }
  }
}

package import Primitives

/// What the journal has done since it was opened, and how it is.
package struct JournalStatistics: Sendable {
  /// Records written.
  package var records = 0
  /// How long each synchronisation took.
  package var synchronizations = DurationHistogram()
  /// Batches that could not be written, or not be synchronised.
  package var failures = 0
  /// Outcomes of forwarded requests that were given up: requests whose end the journal does not tell.
  package var lostOutcomes = 0
  /// Those of them of which the journal does not tell either that they were given up.
  package var untoldOutcomes = 0
  /// Records of requests that were not forwarded, of which `suppressed` records tell instead.
  package var suppressed = 0
  /// Of all segments.
  package var bytes = 0
  /// That the disk has left for it; `nil` when nobody knows.
  package var freeBytes: Int?
  /// Whether that is less than `audit.minimumFreeSpace`.
  package var isSpaceLow = false
  /// Records that wait for the writer.
  package var queued = 0
  /// Outcomes that wait because the last try to write failed.
  package var delayedOutcomes = 0
  /// The last record that is where the durability wants it; those that were there at the opening count too.
  package var lastSequence = 0
  /// The record before the first that is kept.
  package var baseSequence = 0
  /// Segments that retention would remove if they had been copied.
  package var overdueSegments = 0
  /// When the last checkpoint was written, also by an earlier run; `nil` before the first.
  package var lastCheckpoint: WallClockTime?
  /// Checkpoints that could not be written.
  package var checkpointFailures = 0
  /// Why the last checkpoint could not be written; `nil` when it could.
  package var checkpointFailure: FileFault?
  /// Why the last try to write records failed; `nil` when it did not.
  package var failure: JournalFailure?

  /// Outcomes that should stand in the journal and do not (yet).
  package var unwrittenOutcomes: Int { untoldOutcomes + delayedOutcomes }
}

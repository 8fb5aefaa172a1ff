internal import AuditTrail
internal import TestSupport

/// A line of the journal: the fast reader takes none that the general one does not take, and says the same of it, also when
/// it has read another line before.
func checkRecord(_ bytes: [UInt8]) throws(Disagreement) {
  var scanner = RecordScanner()
  for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
    let readings = RecordReadings(of: Array(line), &scanner)
    try expect(
      readings.agree,
      "the general reader says \(readings.general as Any), the scanner \(readings.scanned as Any)")
  }
}

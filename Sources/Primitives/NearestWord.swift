/// The candidate that a person who typed `word` most likely meant, or `nil` when none is near.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  let typed = Array(word.lowercased().unicodeScalars)
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let known = Array(candidate.lowercased().unicodeScalars)
    let distance = editDistance(typed, known)
    // More than half of it wrong is another word, not a slip.
    guard distance * 2 <= max(typed.count, known.count) else { continue }
    if let best, best.distance <= distance { continue }
    best = (candidate, distance)
  }
  return best?.candidate
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for (row, typed) in left.enumerated() {
    var current = [row + 1]
    for (column, known) in right.enumerated() {
      var cost = min(
        current[column] + 1, last[column + 1] + 1, last[column] + (typed == known ? 0 : 1))
      if row > 0, column > 0, typed == right[column - 1], left[row - 1] == known {
        cost = min(cost, beforeLast[column - 1] + 1)
      }
      current.append(cost)
    }
    beforeLast = last
    last = current
  }
  return last[right.count]
}

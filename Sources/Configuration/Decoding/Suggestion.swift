internal import Primitives

/// `; did you mean "x"?`, or what there is to choose from.
func suggestion(for word: String, among candidates: [String]) -> String {
  if let meant = nearest(to: word, among: candidates) { return "; did you mean \(quoted(meant))?" }
  guard !candidates.isEmpty else { return "" }
  return "; known: " + candidates.map(quoted).joined(separator: ", ")
}

/// In double quotes, with what would break the line escaped.
func quoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F:
      let digits = String(scalar.value, radix: 16)
      out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out + "\""
}

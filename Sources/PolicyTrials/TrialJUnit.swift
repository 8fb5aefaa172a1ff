internal import Configuration
internal import StrictJSON

extension TrialRun {
  /// The JUnit XML that CI systems read (the schema of the Jenkins xUnit plugin), a suite for each file.
  package func junit() -> String {
    let errors = unreadable.count
    var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
    lines.append(
      "<testsuites name=\"gatehouse test\" tests=\"\(results.count + errors)\" failures=\"\(failed)\" "
        + "errors=\"\(errors)\">")
    for file in files { lines += suite(file) }
    for (file, problems) in unreadable { lines += Self.suite(file, broken: problems) }
    lines.append("</testsuites>")
    return lines.map { $0 + "\n" }.joined()
  }

  /// In the order in which they were run.
  private var files: [String] {
    var seen: Set<String> = []
    return results.map(\.file).filter { seen.insert($0).inserted }
  }

  private func suite(_ file: String) -> [String] {
    let own = results.filter { $0.file == file }
    let failed = own.count { !$0.hasPassed }
    var lines = [
      "  <testsuite name=\"\(escaped(file))\" tests=\"\(own.count)\" failures=\"\(failed)\" errors=\"0\">"
    ]
    for result in own {
      let head = "    <testcase name=\"\(escaped(result.trial.name))\" classname=\"\(escaped(file))\""
      guard let first = result.failures.first else {
        lines.append(head + "/>")
        continue
      }
      let text = (["\(file):\(result.trial.position.line)"] + result.failures).joined(separator: "\n")
      lines.append(head + ">")
      lines.append(
        "      <failure message=\"\(escaped(first))\" type=\"expectation\">\(escaped(text))</failure>")
      lines.append("    </testcase>")
    }
    lines.append("  </testsuite>")
    return lines
  }

  private static func suite(_ file: String, broken problems: [Problem]) -> [String] {
    let text = problems.map(\.line).joined(separator: "\n")
    return [
      "  <testsuite name=\"\(escaped(file))\" tests=\"1\" failures=\"0\" errors=\"1\">",
      "    <testcase name=\"\(escaped(file))\" classname=\"\(escaped(file))\">",
      "      <error message=\"the file cannot be read\" type=\"problem\">\(escaped(text))</error>",
      "    </testcase>", "  </testsuite>",
    ]
  }
}

/// For text and attributes of XML 1.0; what that cannot say at all becomes U+FFFD.
private func escaped(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "\t", "\n", "\r": out += "&#\(scalar.value);"
    case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: out += "\u{FFFD}"
    default: out.unicodeScalars.append(scalar)
    }
  }
  return out
}

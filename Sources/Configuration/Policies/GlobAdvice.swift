internal import Patterns
internal import Primitives
internal import StrictJSON

/// What somebody hardly means who writes a glob, in which only `*` and `?` are not taken literally.
enum GlobAdvice {
  /// `nil`: nothing is odd about it.
  /// - Parameter glob: placeholders of templates may stand in it.
  static func fault(of glob: String) -> String? {
    let written = withoutPlaceholders(glob)
    if written.hasPrefix("!") {
      return
        "a glob is not negated by \(quoted("!")), which stands for itself; what a match shall leave out goes into"
        + " \(quoted("exclude"))"
    }
    let isExpression =
      written.hasPrefix("^") || written.contains("\\") || hasPair("[", "]", in: written)
      || hasPair("{", "}", in: written)
    guard isExpression else { return nil }
    return "brackets, braces, \(quoted("^")) and backslashes stand for themselves in a glob such as"
      + " \(quoted(glob)): only * and ? are wildcards, and a regular expression goes into \(quoted("pattern"))"
  }

  private static func hasPair(_ opening: Character, _ closing: Character, in text: String) -> Bool {
    guard let start = text.firstIndex(of: opening) else { return false }
    return text[start...].contains(closing)
  }

  private static func withoutPlaceholders(_ text: String) -> String {
    guard let template = try? Template(Text(text)) else { return text }
    return template.pieces.map { if case .written(let part) = $0 { part.string } else { "x" } }.joined()
  }
}

extension Form where Value == Glob {
  /// With a warning about what is hardly meant.
  var advised: Form {
    Form(accepted, schema: schema) { node, reading in
      guard let glob = read(node, reading) else { return nil }
      if let fault = GlobAdvice.fault(of: glob.source.string) { reading.warning(at: node.position, fault) }
      return glob
    }
  }
}

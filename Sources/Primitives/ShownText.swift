extension Text {
  /// On one line, without anything that a terminal or a log would act on.
  package var onOneLine: String { string.onOneLine }
}

extension String {
  /// On one line, without anything that a terminal or a log would act on.
  package var onOneLine: String {
    var scalars = UnicodeScalarView()
    for scalar in unicodeScalars { scalars.append(scalar.isInert ? scalar : "\u{FFFD}") }
    return String(scalars)
  }
}

extension Unicode.Scalar {
  /// Whether it is only ever shown: no control, no mark of direction, no line break, nothing without a meaning.
  package var isInert: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate: false
    default: true
    }
  }
}

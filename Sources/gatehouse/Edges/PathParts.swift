/// The two parts of a path: where a file lies, and its name there.
extension String {
  var folderPart: String {
    guard let slash = lastIndex(of: "/") else { return "." }
    return slash == startIndex ? "/" : String(self[..<slash])
  }

  var namePart: String { lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self }
}

/// Where templates are not put in, one would be taken as it is written, and a rule with it would refuse everything or
/// nothing.
enum MisplacedTemplate {
  /// What a schema says of a text in which none may stand, under `not`.
  static let schema: JSONLiteral = ["pattern": #"\$\{(tenant|request)\."#]

  static func refuse(in text: String) throws(Rejection) {
    guard ["${tenant.", "${request."].contains(where: text.contains) else { return }
    throw Rejection(
      message:
        "templates are not put in here, and \(quoted(text)) would be taken as it is written; they stand in"
        + " \"prefix\", \"pattern\", \"forbidden\", \"values\", \"default\", \"set\", \"allowedKeys\" and the keys of"
        + " required tags")
  }
}

internal import Configuration
internal import Primitives
internal import StrictJSON

/// Findings as a log of SARIF 2.1.0 (OASIS Standard), which code hosts show where reviewers look.
package enum SARIFLog {
  /// - Parameters:
  ///   - version: of Gatehouse.
  ///   - folder: what relative locations are relative to.
  package static func bytes(of findings: [ReviewFinding], version: String, in folder: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.object {
      $0.text(
        "$schema",
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
      $0.text("version", "2.1.0")
      $0.list("runs") {
        $0.object {
          $0.member("tool") { write(rules: ReviewFinding.Rule.allCases, version, to: &$0) }
          // Positions count Unicode scalars.
          $0.text("columnKind", "unicodeCodePoints")
          $0.list("results") { for finding in findings { write(finding, in: folder, to: &$0) } }
        }
      }
    }
    return writer.bytes
  }

  private static func write(rules: [ReviewFinding.Rule], _ version: String, to writer: inout JSONWriter) {
    writer.object {
      $0.member("driver") {
        $0.object {
          $0.text("name", "gatehouse")
          $0.text("version", version)
          $0.list("rules") {
            for rule in rules {
              $0.object {
                $0.text("id", rule.rawValue)
                $0.member("shortDescription") { $0.object { $0.text("text", rule.description) } }
              }
            }
          }
        }
      }
    }
  }

  private static func write(_ finding: ReviewFinding, in folder: String, to writer: inout JSONWriter) {
    writer.object {
      $0.text("ruleId", finding.rule.rawValue)
      $0.key("ruleIndex")
      $0.integer(ReviewFinding.Rule.allCases.firstIndex(of: finding.rule) ?? -1)
      $0.text("level", finding.severity.rawValue)
      let text = finding.rule == .test ? "\(finding.title)\n\(finding.message)" : finding.message
      $0.member("message") { $0.object { $0.text("text", text) } }
      $0.list("locations") {
        $0.object {
          $0.member("physicalLocation") {
            $0.object {
              $0.member("artifactLocation") {
                $0.object { $0.text("uri", uri(of: finding.path(from: folder))) }
              }
              $0.member("region") {
                $0.object {
                  $0.key("startLine")
                  $0.integer(finding.position.line)
                  $0.key("startColumn")
                  $0.integer(finding.position.column)
                }
              }
            }
          }
        }
      }
    }
  }

  /// A relative reference (RFC 3986), or a `file` URI of an absolute path.
  private static func uri(of path: String) -> String {
    var bytes: [UInt8] = []
    PercentCoding.encode(path.utf8, keeping: UInt8(ascii: "/"), into: &bytes)
    return (path.hasPrefix("/") ? "file://" : "") + String(decoding: bytes, as: UTF8.self)
  }
}

extension JSONWriter {
  fileprivate mutating func object(_ write: (inout JSONWriter) -> Void) {
    beginObject()
    write(&self)
    endObject()
  }

  fileprivate mutating func member(_ key: StaticString, _ write: (inout JSONWriter) -> Void) {
    self.key(key)
    write(&self)
  }

  fileprivate mutating func list(_ key: StaticString, _ write: (inout JSONWriter) -> Void) {
    self.key(key)
    beginArray()
    write(&self)
    endArray()
  }

  fileprivate mutating func text(_ key: StaticString, _ value: String) {
    self.key(key)
    string(value)
  }
}

import ArgumentParser
import ChimeIdentity
import Configuration
import Primitives
import StrictJSON

/// Writes what a first gateway needs into a folder.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a starter configuration, a tenant and policies into a folder, and check them.",
    discussion: """
      The folder gets gatehouse.json, tenants.json with one tenant, its access key in TENANT.env (for its owner only), the \
      baseline policies with their test cases, a request to try, and a README.md that says what each setting is for. \
      Nothing that is there is written over.

      EXAMPLES:
        gatehouse init gateway
        gatehouse init gateway --tenant crm --app-instance "$ARN"
        gatehouse init gateway --endpoint http://127.0.0.1:8090
      """)

  @Argument(help: "The folder; made when it is not there.")
  var folder = "."
  @Option(help: "Name of the tenant.")
  var tenant = "app"
  @Option(help: "Region of the Amazon Chime SDK Identity API.")
  var region = "us-east-1"
  @Option(
    help: "Glob of AppInstance ARNs that the tenant is confined to. (default: all of account 123456789012)")
  var appInstance: String?
  @Option(help: "Where requests are forwarded to, such as a sandbox. (default: the region's endpoint)")
  var endpoint: String?

  func run() throws {
    let key = try NewAccessKey()
    let starter = StarterFiles(
      tenant: tenant, region: region,
      appInstance: appInstance ?? "arn:aws:chime:\(region):123456789012:app-instance/*", endpoint: endpoint)
    let tenants: [UInt8]
    do throws(TenantsFile.EditFault) {
      tenants = try TenantsFile().adding(starter.newTenant, key: key.written).bytes
    } catch {
      throw CommandFailure(.bad, error.message)
    }
    try NewFiles.write(
      starter.files + [
        ("tenants.json", tenants), ("\(tenant).env", key.text(tenant: tenant, .text)),
      ], into: folder)
    try NewFiles.write(
      Baseline.files.map { ($0.name, Array($0.text.utf8)) }, into: "\(folder)/policies")
    try CheckCommand.parse(["--config", "\(folder)/gatehouse.json"]).run()
    Console.message(
      "gatehouse: a gateway for tenant `\(tenant.onOneLine)` is in \(folder); next: \(folder)/README.md")
  }

  func validate() throws {
    // It becomes the name of a file; the tenants file takes what is left of it.
    guard !tenant.isEmpty,
      tenant.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
      !tenant.hasPrefix(".")
    else {
      throw ValidationError("--tenant must be letters, digits and - _ . without a dot at its beginning")
    }
  }
}

/// The texts of a starter configuration.
struct StarterFiles {
  let tenant: String
  let region: String
  let appInstance: String
  let endpoint: String?

  var newTenant: TenantsFile.NewTenant {
    var new = TenantsFile.NewTenant(id: tenant, appInstances: [appInstance])
    new.description = "The first application"
    return new
  }

  var files: [(name: String, content: [UInt8])] {
    [("gatehouse.json", configuration), ("create.json", request), ("README.md", Array(readme.utf8))]
  }

  private var configuration: [UInt8] {
    let upstream = [("region", region)] + (endpoint.map { [("endpoint", $0)] } ?? [])
    let members = upstream.map { "    \(Self.quoted($0.0)): \(Self.quoted($0.1)),\n" }.joined()
    return Array(
      """
      {
        "listeners": [{ "address": "127.0.0.1:8080" }],
        "admin": { "address": "127.0.0.1:9901" },
        "upstream": {
      \(members)    "credentials": { "source": "chain" }
        },
        "tenants": "tenants.json",
        "policies": "policies",
        "rateLimit": {
          "upstreamBudget": { "requestsPerSecond": 20, "burst": 20, "queueFor": "2s" }
        },
        "audit": { "directory": "audit" }
      }

      """.utf8)
  }

  /// A creation that the baseline completes and allows.
  private var request: [UInt8] {
    let instance = appInstance.replacing("*", with: "demo")
    return Array(
      """
      { "AppInstanceArn": \(Self.quoted(instance)),
        "AppInstanceUserId": \(Self.quoted("\(tenant)-alice")), "Name": "Alice Example",
        "Tags": [ { "Key": "CostCenter", "Value": "4711" } ] }

      """.utf8)
  }

  private static func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private var readme: String {
    """
    # A gateway

    | file | is |
    | --- | --- |
    | `gatehouse.json` | the configuration; paths in it are relative to it |
    | `tenants.json` | who may call, with keys and AppInstances; `gatehouse tenant` edits it |
    | `\(tenant).env` | the access key of `\(tenant)`, for its owner only; give it to the application and remove it |
    | `policies/` | what every user must look like; `*.test.json` are test cases |
    | `create.json` | a request to try |

    ## The settings

    | key | says |
    | --- | --- |
    | `listeners` | where applications call; `"tls": {"certificate": …, "privateKey": …}` for HTTPS, which any other address than loopback should have |
    | `admin` | `/healthz`, `/readyz`, `/metrics` and the dashboard; another address than loopback needs a `tokenFile` |
    | `upstream.region`, `endpoint` | whom requests are forwarded to; `endpoint` defaults to the region's |
    | `upstream.credentials` | the gateway's own: `chain` takes what the AWS SDKs would (environment, web identity, profile, container, instance) |
    | `rateLimit.upstreamBudget` | the account's quota, shared by all tenants; requests wait up to `queueFor` for their turn |
    | `audit.directory` | the journal, made when the gateway starts |

    All keys with their defaults: `gatehouse check --schema config`.

    ## Next

        gatehouse check                                        # what is wrong, with file, line and column
        gatehouse explain --tenant \(tenant) create.json       # what would become of a request
        gatehouse test --policies policies                     # the policies' test cases
        gatehouse serve

    Then point an application's AWS SDK at `http://127.0.0.1:8080` with the key of `\(tenant).env`.
    `gatehouse tenant update \(tenant) --app-instance ARN` says which AppInstances it may use.

    """
  }
}

// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built in Swift 6 language mode with these.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  // Properties that lend a span of what they own, checked by the compiler.
  .enableExperimentalFeature("Lifetimes"),
  // The hot path crosses modules at every step; without this the small functions are calls.
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
  // Overlapping accesses to a class's members are looked for in debug builds, by the tests; asking each time would be
  // a twentieth of what a request costs (docs/decisions/0153).
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A target of our own: one of the three kinds of room that docs/architecture.md draws.
func room(_ name: String, uses dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, uses more: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + more, swiftSettings: strict)
}

let package = Package(
  name: "gatehouse",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // C libraries: a module map and a shim header each.
    .systemLibrary(
      name: "CLibevent", pkgConfig: "libevent", providers: [.apt(["libevent-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CGlibc"),
    .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),

    // Keeps the data of Foundation's ICU out of the static executable.
    // valgrind 3.19 cannot read the DWARF 5 that Clang writes by itself.
    .target(name: "CEmptyICUData", cSettings: [.unsafeFlags(["-gdwarf-4"])]),

    // Base and wrappers.
    room("Primitives", uses: []),
    room("OpenSSLCrypto", uses: ["Primitives", "COpenSSL"]),
    room("StrictJSON", uses: ["Primitives", "CJansson"]),
    room("Patterns", uses: ["Primitives", "CPCRE2"]),
    room("Gzip", uses: ["CZlib"]),
    room("XML", uses: ["CExpat"]),

    // Core: pure.
    room("HTTPWire", uses: ["Primitives"]),
    room("SigV4", uses: ["Primitives", "OpenSSLCrypto", "HTTPWire"]),
    room("ChimeIdentity", uses: ["Primitives", "StrictJSON", "HTTPWire"]),
    room(
      "CredentialSources",
      uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "XML", "HTTPWire", "SigV4", "Configuration"]),
    room("Configuration", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "Patterns"]),
    room(
      "PolicyEngine",
      uses: ["Primitives", "StrictJSON", "Patterns", "ChimeIdentity", "Configuration"]),
    room(
      "PolicyTrials",
      uses: ["Primitives", "StrictJSON", "Patterns", "ChimeIdentity", "Configuration", "PolicyEngine"]),
    room("RateLimiting", uses: ["Primitives", "OpenSSLCrypto"]),
    room("RedisWire", uses: ["Primitives"]),
    room("SharedLimits", uses: ["Primitives", "RateLimiting", "RedisWire"]),
    room("AuditTrail", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON"]),
    room(
      "PolicyReplay",
      uses: ["Primitives", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine", "AuditTrail"]),

    room(
      "AuditReconciliation",
      uses: ["Primitives", "StrictJSON", "HTTPWire", "ChimeIdentity", "AuditTrail"]),

    room(
      "UserScan",
      uses: [
        "Primitives", "StrictJSON", "Patterns", "ChimeIdentity", "Configuration", "PolicyEngine",
        "AuditReconciliation",
      ]),

    room(
      "PolicyLearning",
      uses: ["Primitives", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine", "AuditTrail"]),

    // Edges: sockets, files, clocks, threads.
    room("Threads", uses: ["CGlibc"]),
    room("Transport", uses: ["Primitives", "OpenSSLCrypto", "HTTPWire", "Threads", "CLibevent", "COpenSSL"]),
    room("AuditStore", uses: ["Primitives", "OpenSSLCrypto", "AuditTrail", "Threads"]),
    room(
      "AuditIndex",
      uses: [
        "Primitives", "OpenSSLCrypto", "AuditTrail", "AuditStore", "Threads",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    room(
      "AuditShipping",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "Configuration", "AuditTrail", "AuditStore", "Threads",
        "CLibpq",
      ]),
    room(
      "CredentialSupply",
      uses: [
        "Primitives", "OpenSSLCrypto", "HTTPWire", "SigV4", "Configuration", "CredentialSources", "Threads",
        "Transport", "CGlibc",
      ]),
    // The journal as the dashboard asks it while it is being written.
    room(
      "AuditBrowsing",
      uses: [
        "Primitives", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine", "AuditTrail",
        "AuditStore",
        "AuditIndex", "Threads", "Admin",
      ]),
    room(
      "LimitStore",
      uses: ["Primitives", "OpenSSLCrypto", "RateLimiting", "RedisWire", "SharedLimits", "Transport"]),
    room("FileWriting", uses: ["Primitives", "OpenSSLCrypto"]),
    room("ServiceManager", uses: ["Primitives"]),
    room("AuditExport", uses: ["Primitives", "OpenSSLCrypto", "Gzip", "AuditTrail", "FileWriting"]),
    room(
      "Gateway",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "Patterns", "HTTPWire", "SigV4", "ChimeIdentity",
        "Configuration", "PolicyEngine", "PolicyTrials", "RateLimiting", "AuditTrail", "Threads", "Transport",
        "AuditStore", "AuditShipping", "Admin", "ServiceManager", "CredentialSources", "CredentialSupply",
        "SharedLimits", "LimitStore",
        .product(name: "Logging", package: "swift-log"),
      ]),
    room(
      "Admin", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "Transport"]),
    room(
      "Sandbox",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "SigV4", "ChimeIdentity",
        "Transport",
      ]),

    // The only place that chooses real clocks, files and environment.
    .executableTarget(
      name: "gatehouse",
      dependencies: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "Patterns", "HTTPWire", "SigV4", "ChimeIdentity",
        "Configuration", "PolicyEngine", "PolicyTrials", "RateLimiting", "AuditTrail", "Threads", "Transport",
        "AuditStore", "AuditIndex", "AuditBrowsing", "AuditShipping", "AuditReconciliation", "AuditExport",
        "Gzip",
        "FileWriting",
        "CredentialSources", "CredentialSupply", "Gateway",
        "Admin",
        "Sandbox", "PolicyReplay", "UserScan", "PolicyLearning", "ServiceManager", "CEmptyICUData",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),

    // What policies cost; see Benchmarks/README.md.
    .executableTarget(
      name: "PolicyBench",
      dependencies: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine",
      ],
      path: "Benchmarks/PolicyBench", swiftSettings: strict),
    .executableTarget(
      name: "JournalGenerator", dependencies: ["Primitives", "AuditTrail"],
      path: "Benchmarks/JournalGenerator", swiftSettings: strict),
    // For Benchmarks/ only: the same gateway, whose journal forgets.
    .executableTarget(
      name: "UnauditedGateway",
      dependencies: [
        "Primitives", "OpenSSLCrypto", "Configuration", "RateLimiting", "Transport", "AuditStore",
        "CredentialSupply",
        "Gateway",
        .product(name: "Logging", package: "swift-log"),
      ], path: "Benchmarks/UnauditedGateway", swiftSettings: strict),

    // What tests of several targets share.
    .target(
      name: "TestSupport",
      dependencies: [
        "Primitives", "StrictJSON", "HTTPWire", "AuditTrail", "Transport", "AuditStore", "CJansson",
      ],
      path: "Tests/TestSupport", swiftSettings: strict),
    // What Fuzz/ feeds with made-up bytes; the fuzzer itself is added below.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "Patterns", "HTTPWire", "SigV4", "Configuration",
        "AuditTrail", "CredentialSources", "XML", "ServiceManager", "Gateway", "Transport", "TestSupport",
        "RedisWire",
      ], path: "Fuzz/Targets", swiftSettings: strict),
    .testTarget(name: "StructureTests", swiftSettings: strict),
    tests(of: "Primitives"),
    tests(of: "OpenSSLCrypto", uses: ["Primitives"]),
    tests(of: "StrictJSON", uses: ["Primitives"]),
    tests(of: "Patterns", uses: ["Primitives"]),
    tests(of: "Gzip"),
    tests(of: "XML"),
    tests(
      of: "CredentialSources",
      uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "SigV4", "Configuration"]),
    tests(of: "HTTPWire", uses: ["Primitives"]),
    tests(of: "FuzzTargets"),
    tests(of: "SigV4", uses: ["Primitives", "OpenSSLCrypto", "HTTPWire", "StrictJSON"]),
    tests(of: "ChimeIdentity", uses: ["Primitives", "StrictJSON", "HTTPWire"]),
    tests(of: "Configuration", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "Patterns"]),
    tests(
      of: "PolicyEngine",
      uses: [
        "Primitives", "StrictJSON", "Patterns", "ChimeIdentity", "Configuration", "AuditTrail",
        "OpenSSLCrypto", "PolicyReplay",
      ]),
    tests(
      of: "PolicyTrials",
      uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine"]
    ),
    tests(of: "RateLimiting", uses: ["Primitives", "OpenSSLCrypto"]),
    tests(of: "RedisWire", uses: ["Primitives"]),
    tests(of: "SharedLimits", uses: ["Primitives", "RateLimiting", "RedisWire"]),
    tests(of: "AuditTrail", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON"]),
    tests(of: "Transport", uses: ["Primitives", "HTTPWire", "Threads"]),
    tests(
      of: "AuditStore",
      uses: ["Primitives", "OpenSSLCrypto", "AuditTrail", "StrictJSON", "Threads", "Transport"]),
    tests(
      of: "AuditIndex",
      uses: [
        "Primitives", "OpenSSLCrypto", "AuditTrail", "AuditStore",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    tests(
      of: "Gateway",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "SigV4", "ChimeIdentity", "Configuration",
        "PolicyEngine", "RateLimiting", "AuditTrail", "Transport", "AuditStore", "CredentialSources",
        "CredentialSupply",
        .product(name: "Logging", package: "swift-log"),
      ]),
    // The whole gateway in a time of its own, on one thread.
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "SigV4", "Configuration", "RateLimiting",
        "AuditTrail", "Threads", "Transport", "AuditStore", "CredentialSupply", "Gateway",
        "TestSupport",
      ], swiftSettings: strict),
    tests(of: "AuditShipping", uses: ["Primitives", "AuditTrail", "OpenSSLCrypto"]),
    tests(of: "AuditReconciliation", uses: ["Primitives", "StrictJSON", "HTTPWire", "AuditTrail"]),
    tests(
      of: "UserScan",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine",
        "AuditReconciliation",
      ]),
    tests(
      of: "PolicyLearning",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "ChimeIdentity", "Configuration", "PolicyEngine",
        "AuditTrail",
      ]),
    tests(of: "AuditExport", uses: ["Primitives", "OpenSSLCrypto", "Gzip", "FileWriting", "AuditTrail"]),
    tests(
      of: "AuditBrowsing",
      uses: [
        "Primitives", "OpenSSLCrypto", "StrictJSON", "Configuration", "AuditTrail", "AuditStore",
        "AuditIndex", "Admin",
      ]),
    tests(of: "Admin", uses: ["Primitives", "OpenSSLCrypto", "StrictJSON", "HTTPWire", "Transport"]),
    tests(of: "ServiceManager", uses: ["Primitives"]),
    tests(of: "Sandbox", uses: ["Primitives", "StrictJSON", "HTTPWire"]),
  ]
)

// `make fuzz` alone builds the fuzzer: it links only with the sanitizer's runtime.
if Context.environment["GATEHOUSE_FUZZ"] == "1" {
  package.targets.append(
    .executableTarget(
      name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Fuzz/Driver", swiftSettings: strict))
}

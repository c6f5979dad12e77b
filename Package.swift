// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The rules are tried on a hundred thousand histories, which take minutes if they aren't optimized.
let optimized = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "breathmaster",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "breathmaster", targets: ["API"]),
        .library(name: "PGClient", targets: ["PGClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .target(name: "Domain", swiftSettings: optimized),
        .systemLibrary(
            name: "CLibpq",
            path: "Sources/PGClient/CLibpq",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .target(
            name: "PGClient",
            dependencies: [
                "CLibpq",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            exclude: ["CLibpq"],
            swiftSettings: strict
        ),
        .target(
            name: "Tenancy",
            dependencies: ["Domain", "PGClient"],
            swiftSettings: strict
        ),
        .systemLibrary(
            name: "CCurl",
            path: "Sources/API/Curl/CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .systemLibrary(
            name: "CArgon2",
            path: "Sources/API/Identity/CArgon2",
            pkgConfig: "libargon2",
            providers: [.apt(["libargon2-dev"]), .brew(["argon2"])]
        ),
        .target(
            name: "CContract",
            path: "Sources/API/Contract/CContract",
            exclude: ["docs.html"]
        ),
        .target(
            name: "CDomains",
            path: "Sources/API/Organizations/CDomains",
            exclude: ["public-mail-domains.txt"],
            linkerSettings: [.linkedLibrary("resolv"), .linkedLibrary("psl")]
        ),
        .executableTarget(
            name: "API",
            dependencies: [
                "CArgon2",
                "CContract",
                "CCurl",
                "CDomains",
                "Domain",
                "PGClient",
                "Tenancy",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: [
                "Contract/CContract", "Identity/CArgon2", "Identity/CommonPasswords/README.md",
                "Curl/CCurl", "Organizations/CDomains",
            ],
            // In the program itself, which stays one file.
            resources: [
                .embedInCode("Identity/CommonPasswords/commonPasswords.txt"),
                .embedInCode("Pages/Templates/page.css"),
                .embedInCode("Pages/Templates/layout.mustache"),
                .embedInCode("Pages/Templates/device.mustache"),
                .embedInCode("Pages/Templates/confirmDevice.mustache"),
                .embedInCode("Pages/Templates/message.mustache"),
                .embedInCode("Pages/Templates/verifyEmail.mustache"),
                .embedInCode("Pages/Templates/newPassword.mustache"),
                .embedInCode("Notifications/Templates/emailCode.subject.mustache"),
                .embedInCode("Notifications/Templates/emailCode.text.mustache"),
                .embedInCode("Notifications/Templates/emailCode.html.mustache"),
                .embedInCode("Notifications/Templates/passwordChanged.subject.mustache"),
                .embedInCode("Notifications/Templates/passwordChanged.text.mustache"),
                .embedInCode("Notifications/Templates/passwordChanged.html.mustache"),
                .embedInCode("Notifications/Templates/passwordReset.subject.mustache"),
                .embedInCode("Notifications/Templates/passwordReset.text.mustache"),
                .embedInCode("Notifications/Templates/passwordReset.html.mustache"),
                .embedInCode("Notifications/Templates/domainLost.subject.mustache"),
                .embedInCode("Notifications/Templates/domainLost.text.mustache"),
                .embedInCode("Notifications/Templates/domainLost.html.mustache"),
                .embedInCode("Notifications/Templates/domainLapsed.subject.mustache"),
                .embedInCode("Notifications/Templates/domainLapsed.text.mustache"),
                .embedInCode("Notifications/Templates/domainLapsed.html.mustache"),
                .embedInCode("Notifications/Templates/invitation.subject.mustache"),
                .embedInCode("Notifications/Templates/invitation.text.mustache"),
                .embedInCode("Notifications/Templates/invitation.html.mustache"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "DomainTests", dependencies: ["Domain"], swiftSettings: optimized),
        .testTarget(
            name: "APIIntegrationTests",
            dependencies: [
                "API",
                "Domain",
                "PGClient",
                "Tenancy",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            resources: [.copy("Fixtures")],
            swiftSettings: strict,
            linkerSettings: [
                // The tests answer for hosts that don't exist: libpq has to find their `getaddrinfo` first.
                .unsafeFlags(["-Xlinker", "--export-dynamic-symbol=getaddrinfo"], .when(platforms: [.linux]))
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.1
import PackageDescription

/// A package of its own, so that nobody who uses the server builds it.
let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "breathmaster", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "pgclient-bench",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "PGClient", package: "breathmaster"),
            ],
            path: "PGClient",
            exclude: [],
            sources: ["Workloads.swift", "Bench.swift", "Soak.swift"]
        )
    ],
    swiftLanguageModes: [.v6]
)

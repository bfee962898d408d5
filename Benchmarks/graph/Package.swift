// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that users of the framework never see it.
let package = Package(
  name: "graph-bench",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .executableTarget(
      name: "graph-bench",
      dependencies: ["FXCore", "FXPasses", "FXRuntime"].map { .product(name: $0, package: "swift-fx") }),
    // Apart, since tracing needs neither the passes nor the runtime.
    .executableTarget(
      name: "trace-bench",
      dependencies: ["FXCore", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
  ],
  swiftLanguageModes: [.v6]
)

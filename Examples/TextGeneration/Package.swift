// swift-tools-version: 6.1
import PackageDescription

// A language model with a cache: written, trained and run in Swift.
let package = Package(
  name: "text-generation",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .target(
      name: "Generation",
      dependencies: ["FXCore", "FXPasses", "FXRuntime", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
    .executableTarget(name: "generate-text", dependencies: ["Generation"]),
    .testTarget(
      name: "GenerationTests",
      dependencies: ["Generation"] + ["FXCore", "FXRuntime", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
  ],
  swiftLanguageModes: [.v6]
)

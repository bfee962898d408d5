// swift-tools-version: 6.1
import PackageDescription

// A pass as somebody outside the framework writes and tests it.
let package = Package(
  name: "custom-pass",
  platforms: [.macOS(.v15)],
  products: [.library(name: "HalfWeights", targets: ["HalfWeights"])],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .target(
      name: "HalfWeights", dependencies: ["FXCore", "FXPasses"].map { .product(name: $0, package: "swift-fx") }),
    .executableTarget(
      name: "half-weights",
      dependencies: ["HalfWeights"] + ["FXCore", "FXOnnx", "FXPasses"].map { .product(name: $0, package: "swift-fx") }),
    .testTarget(
      name: "HalfWeightsTests",
      dependencies: ["HalfWeights"]
        + ["FXCore", "FXOnnx", "FXPasses", "FXRuntime", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
  ],
  swiftLanguageModes: [.v6]
)

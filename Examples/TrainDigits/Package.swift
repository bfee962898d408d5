// swift-tools-version: 6.1
import PackageDescription

// A network trained from nothing, kept as ONNX.
let package = Package(
  name: "train-digits",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .executableTarget(
      name: "train-digits",
      dependencies: ["FXCore", "FXOnnx", "FXPasses", "FXRuntime", "FXTrace"].map { .product(name: $0, package: "swift-fx") })
  ],
  swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.1
import PackageDescription

// A backend as somebody outside the framework writes it: a package of its own that depends on FXCore alone.
let package = Package(
  name: "loop-backend",
  platforms: [.macOS(.v15)],
  products: [.library(name: "LoopBackend", targets: ["LoopBackend"])],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .target(name: "LoopBackend", dependencies: [.product(name: "FXCore", package: "swift-fx")]),
    .executableTarget(
      name: "mixed-digits",
      dependencies: ["LoopBackend"]
        + ["FXCore", "FXOnnx", "FXRuntime", "FXShapes", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
    .testTarget(
      name: "LoopBackendTests",
      dependencies: ["LoopBackend"]
        + ["FXCore", "FXOnnx", "FXPasses", "FXRuntime", "FXShapes", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
  ],
  swiftLanguageModes: [.v6]
)

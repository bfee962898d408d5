// swift-tools-version: 6.1
import PackageDescription

// A package of its own, since it links with libFuzzer's driver only: see `make fuzz-readers`.
let package = Package(
  name: "readers-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .target(name: "CLibFuzzer"),
    .executableTarget(
      name: "readers-fuzz",
      dependencies: ["CLibFuzzer"] + ["FXCore", "FXOnnx", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
  ],
  swiftLanguageModes: [.v6]
)

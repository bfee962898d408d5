// swift-tools-version: 6.1
import PackageDescription

// An HTTP server around a model. What knows the model knows nothing of HTTP.
let package = Package(
  name: "image-server",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "swift-fx", path: "../.."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.5.0"),
  ],
  targets: [
    .target(
      name: "DigitReader", dependencies: ["FXCore", "FXOnnx", "FXRuntime"].map { .product(name: $0, package: "swift-fx") }),
    .executableTarget(
      name: "image-server", dependencies: ["DigitReader", .product(name: "Hummingbird", package: "hummingbird")]),
    .testTarget(
      name: "DigitReaderTests",
      dependencies: [
        "DigitReader", .product(name: "FXCore", package: "swift-fx"), .product(name: "FXTrace", package: "swift-fx"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.1
import PackageDescription

// A program that makes graphs and runs none names one product, and links nothing beyond Swift's own libraries.
let package = Package(
  name: "tiny-trace",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .executableTarget(name: "tiny-trace", dependencies: [.product(name: "FXTrace", package: "swift-fx")])
  ],
  swiftLanguageModes: [.v6]
)

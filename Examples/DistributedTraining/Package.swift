// swift-tools-version: 6.1
import PackageDescription

// One training step, divided among ranks in several ways. With the trait MPI ranks are processes.
let package = Package(
  name: "distributed-training",
  platforms: [.macOS(.v15)],
  traits: ["MPI"],
  dependencies: [
    .package(name: "swift-fx", path: "../..", traits: [.defaults, .trait(name: "MPI", condition: .when(traits: ["MPI"]))])
  ],
  targets: [
    .executableTarget(
      name: "train-ranks",
      dependencies: ["FXCore", "FXDistributed", "FXPasses", "FXRuntime", "FXTrace"].map {
        .product(name: $0, package: "swift-fx")
      })
  ],
  swiftLanguageModes: [.v6]
)

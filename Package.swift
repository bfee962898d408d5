// swift-tools-version: 6.1
import PackageDescription

// One target per concern, imports one way only: `make layers` checks what this file declares
// against what the sources import, and docs/Architecture.md draws it.

let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

let package = Package(
  name: "swift-fx",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "FXCore", targets: ["FXCore"]),
    .library(name: "FXShapes", targets: ["FXShapes"]),
    .library(name: "FXTrace", targets: ["FXTrace"]),
    .library(name: "FXPasses", targets: ["FXPasses"]),
    .library(name: "FXOnnx", targets: ["FXOnnx"]),
    .library(name: "FXCodegen", targets: ["FXCodegen"]),
    .library(name: "FXQuant", targets: ["FXQuant"]),
    .library(name: "FXRuntime", targets: ["FXRuntime"]),
    .library(name: "FXDistributed", targets: ["FXDistributed"]),
    .executable(name: "fx", targets: ["fx"]),
  ],
  traits: [
    .trait(name: "OpenBLAS", description: "Matrix products by the system's OpenBLAS; without it our own serve."),
    .trait(name: "MPI", description: "Distributed execution over the system's MPI."),
    .default(enabledTraits: ["OpenBLAS"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0")
  ],
  targets: [
    // Layer 0: C only, each a thin view of one system library or of plain loops.
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .target(
      name: "CBlasShim",
      dependencies: [.target(name: "COpenBLAS", condition: .when(traits: ["OpenBLAS"]))],
      cSettings: [.define("FX_HAVE_OPENBLAS", .when(traits: ["OpenBLAS"]))],
      linkerSettings: [.linkedLibrary("openblas", .when(traits: ["OpenBLAS"]))]),
    .target(name: "CKernels"),
    // Opens the image libraries when they are needed and links none.
    .target(name: "CImageShim"),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),
    .target(
      name: "COnnx", dependencies: ["CProtobufC"], exclude: ["proto"], linkerSettings: [.linkedLibrary("protobuf-c")]),
    .systemLibrary(name: "COpenMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev"]), .brew(["open-mpi"])]),
    .target(
      name: "CMPI",
      dependencies: [.target(name: "COpenMPI", condition: .when(traits: ["MPI"]))],
      cSettings: [.define("FX_HAVE_MPI", .when(traits: ["MPI"]))],
      linkerSettings: [.linkedLibrary("mpi", .when(traits: ["MPI"]))]),
    .target(name: "FXCore", swiftSettings: settings),

    // Layer 1
    .target(name: "FXShapes", dependencies: ["FXCore"], swiftSettings: settings),
    .target(name: "FXOnnx", dependencies: ["FXCore", "COnnx"], swiftSettings: settings),

    // Layer 2
    .target(name: "FXTrace", dependencies: ["FXCore", "FXShapes"], swiftSettings: settings),
    .target(name: "FXPasses", dependencies: ["FXCore", "FXShapes", "FXTrace"], swiftSettings: settings),
    .target(name: "FXCodegen", dependencies: ["FXCore", "FXShapes", "FXTrace", "FXPasses"], swiftSettings: settings),

    // Layer 3
    .target(
      name: "FXRuntime", dependencies: ["FXCore", "FXShapes", "FXPasses", "CBlasShim", "CImageShim", "CKernels"],
      swiftSettings: settings),
    .target(name: "FXQuant", dependencies: ["FXCore", "FXShapes", "FXPasses"], swiftSettings: settings),
    .target(
      name: "FXDistributed", dependencies: ["FXCore", "FXShapes", "FXTrace", "FXPasses", "CMPI"], swiftSettings: settings),

    // Layer 4
    .executableTarget(
      name: "fx",
      dependencies: [
        "FXCore", "FXShapes", "FXTrace", "FXPasses", "FXOnnx", "FXCodegen", "FXQuant", "FXRuntime", "FXDistributed",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    // Tests: one target per module, shared expectations in FXTestSupport.
    .target(name: "FXTestSupport", dependencies: ["FXCore"], path: "Tests/FXTestSupport", swiftSettings: settings),
    .target(name: "CAllocationMeter", path: "Tests/CAllocationMeter"),
    .executableTarget(
      name: "fx-fuzz",
      dependencies: ["FXCore", "FXShapes", "FXPasses", "FXOnnx", "FXRuntime", "FXTestSupport", "CAllocationMeter"],
      path: "Tests/fx-fuzz", swiftSettings: settings),
    .testTarget(name: "FXCoreTests", dependencies: ["FXCore", "FXTestSupport"], swiftSettings: settings),
    .testTarget(name: "FXShapesTests", dependencies: ["FXCore", "FXShapes", "FXTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "FXTraceTests", dependencies: ["FXCore", "FXTrace", "FXRuntime", "FXTestSupport"], exclude: ["Parity"],
      swiftSettings: settings),
    .testTarget(
      name: "FXPassesTests",
      dependencies: ["FXCore", "FXShapes", "FXPasses", "FXOnnx", "COnnx", "FXRuntime", "FXTrace", "FXTestSupport"],
      exclude: ["Data"],
      swiftSettings: settings),
    .testTarget(name: "FXOnnxTests", dependencies: ["FXCore", "FXOnnx", "COnnx", "FXTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "FXCodegenTests",
      dependencies: ["FXCore", "FXShapes", "FXTrace", "FXPasses", "FXOnnx", "FXCodegen", "FXRuntime", "FXTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "FXRuntimeTests",
      dependencies: ["FXCore", "FXShapes", "FXPasses", "FXRuntime", "FXTrace", "CKernels", "FXTestSupport"],
      swiftSettings: settings),
    .executableTarget(
      name: "fx-ranks",
      dependencies: ["FXCore", "FXTrace", "FXPasses", "FXRuntime", "FXDistributed"], path: "Tests/fx-ranks",
      swiftSettings: settings),
    .testTarget(
      name: "FXDistributedTests",
      dependencies: ["FXCore", "FXShapes", "FXTrace", "FXPasses", "FXRuntime", "FXDistributed", "FXTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "FXQuantTests",
      dependencies: ["FXCore", "FXShapes", "FXTrace", "FXPasses", "FXOnnx", "FXQuant", "FXRuntime", "FXTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "FXConformanceTests",
      dependencies: [
        "fx", "FXCore", "FXShapes", "FXTrace", "FXPasses", "FXOnnx", "FXCodegen", "FXQuant", "FXRuntime", "FXDistributed",
        "FXTestSupport",
      ],
      exclude: ["Cases"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)

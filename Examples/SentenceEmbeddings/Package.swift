// swift-tools-version: 6.1
import PackageDescription

// Sentences as vectors: a tokenizer, a network and its weights from safetensors.
let package = Package(
  name: "sentence-embeddings",
  platforms: [.macOS(.v15)],
  products: [.library(name: "Embeddings", targets: ["Embeddings"])],
  dependencies: [.package(name: "swift-fx", path: "../..")],
  targets: [
    .target(
      name: "Embeddings", dependencies: ["FXCore", "FXRuntime", "FXTrace"].map { .product(name: $0, package: "swift-fx") }),
    .executableTarget(name: "nearest-sentence", dependencies: ["Embeddings"]),
    .testTarget(
      name: "EmbeddingsTests", dependencies: ["Embeddings", .product(name: "FXTrace", package: "swift-fx")],
      exclude: ["expected.json"]),
  ],
  swiftLanguageModes: [.v6]
)

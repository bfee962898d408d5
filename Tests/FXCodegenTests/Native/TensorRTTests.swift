import FXCodegen
import FXCore
import FXRuntime
import Foundation
import Testing

/// Networks for TensorRT, built and evaluated through a stand-in for its headers: TensorRT itself needs a device.
@Suite struct TensorRTTests {
  /// The element types that the stand-in evaluates.
  private static let types = ElementTypes(.float32, .int64, .int32, .bool)

  @Test func casesAgree() throws {
    let environment = ProcessInfo.processInfo.environment
    let root = try #require(environment["FX_CASES"], "`make test` writes the cases and says where") + "/node"
    let isFull = environment["FX_NATIVE"] != nil
    let folders = try NativeCase.folders(in: root).enumerated().filter { isFull || $0.offset % 12 == 0 }.map(\.element)
    var runner = TensorRTRunner()
    var cases: [NativeCase] = []
    var refused = 0
    for folder in folders {
      do {
        var item = try NativeCase(folder: folder)
        guard (item.inputs + item.expected).allSatisfy({ Self.types.contains($0.elementType) && !$0.shape.contains(0) }) else {
          continue
        }
        do {
          try runner.add(item.name, item.graph, item.inputs)
        } catch is CodegenError {
          item = try item.withConstantSizes()
          try runner.add(item.name, item.graph, item.inputs)
        }
        cases.append(item)
      } catch is CodegenError {
        refused += 1
      } catch NativeCase.Unsuitable.notTensors {
        continue
      }
    }
    let results = try runner.run(cases.map { ($0.name, $0.expected.map(\.type)) })
    var failures: [String] = []
    for item in cases {
      guard let tensors = results[item.name] else {
        failures.append("\(item.name): it gave no results")
        continue
      }
      if let difference = item.difference(tensors) { failures.append("\(item.name): \(difference)") }
    }
    if isFull { print("tensorrt: \(cases.count - failures.count) passed, \(refused) refused, \(failures.count) failed") }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
    #expect(cases.count > folders.count / 5)
  }

  /// One network for all sizes: what is open is −1, and the profile has the symbol's bounds.
  @Test func openSizes() throws {
    var graph = Graph(name: "model")
    let x = try graph.addInput("x", .tensor(.float32, ["batch", 2, 3]))
    graph.symbols["batch"] = SymbolBounds(minimum: 1, maximum: 8)
    let shape = graph.addConstant(Tensor(vector: [Int64(-1), 6]))
    let flat = try graph.call(.reshape, [.value(x), .parameter(shape)])
    try graph.addOutput(try graph.call(.relu, [.value(flat)]), name: "y")
    let source = try CodeGenerator(targets: [TensorRTTarget()]).generateCode(graph, target: "tensorrt")
    #expect(source.contains("net.input(\"x\", DataType::kFLOAT, {-1, 2, 3})"))
    #expect(source.contains("fx::set_range(profile, \"x\", {1, 2, 3}, {1, 2, 3}, {8, 2, 3})"))
    for batch in [1, 5] {
      let input = try Tensor([batch, 2, 3], (0..<batch * 6).map { Float($0) - 4 })
      var runner = TensorRTRunner()
      try runner.add("open", graph, [input])
      let expected = try ReferenceExecutor().run(graph, input)
      #expect(try runner.run([("open", expected.map(\.type))])["open"] == expected)
    }
  }
}

/// Compiles networks against the stand-in and evaluates them.
private struct TensorRTRunner {
  private var programs: [(name: String, outputs: Int)] = []
  private let folder = NSTemporaryDirectory() + "fx-tensorrt-" + UUID().uuidString
  private let generator = CodeGenerator(targets: [TensorRTTarget()])

  mutating func add(_ name: String, _ graph: Graph, _ inputs: [Tensor]) throws {
    let program = try generator.generate(graph, target: "tensorrt", CodegenOptions(name: name))
    try program.write(to: folder)
    // Name, sizes and numbers of each input as text: small, and the same for all element types.
    var text = "\(inputs.count)\n"
    for (input, tensor) in zip(graph.inputs, inputs) {
      let numbers = try tensor.numbers().doubles.map { $0.isNaN ? "nan" : $0.isInfinite ? ($0 > 0 ? "inf" : "-inf") : "\($0)" }
      text +=
        "\(graph.name(of: input)) \(tensor.shape.count) \(tensor.shape.map(String.init).joined(separator: " ")) \(numbers.joined(separator: " "))\n"
    }
    try text.write(toFile: "\(folder)/\(name).inputs", atomically: true, encoding: .utf8)
    programs.append((name, graph.outputs.count))
  }

  func run(_ types: [(name: String, types: [TensorType])]) throws -> [String: [Tensor]] {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let shim = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Shim").path
    try driver.write(toFile: folder + "/driver.cpp", atomically: true, encoding: .utf8)
    let binary = folder + "/driver"
    try shell([
      "g++", "-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-DFX_NO_MAIN", "-I" + shim, folder + "/driver.cpp", "-o",
      binary,
    ])
    let lines = try shell([binary, folder]).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    var results: [String: [Tensor]] = [:]
    for (name, types) in types {
      let own = lines.filter { $0[0] == name }
      guard own.count == types.count else { continue }
      results[name] = try zip(own, types).map { words, type in
        let rank = Int(words[1]) ?? 0
        let shape = words[2..<2 + rank].compactMap { Int($0) }
        return try Tensor(type.elementType, shape, numbers: .floats(words[(2 + rank)...].compactMap { Double($0) }))
      }
    }
    return results
  }

  private var driver: String {
    """
    #include <fstream>
    #include <iostream>
    #include "fx_tensorrt.h"
    \(programs.map { "#include \"\($0.name)_tensorrt.cpp\"" }.joined(separator: "\n"))
    static void evaluate(const std::string& folder, const std::string& name,
        bool (*populate)(nvinfer1::INetworkDefinition&, const fx::weight_bytes&)) {
      std::ifstream file(folder + "/" + name + ".inputs");
      stand_in_inputs.clear();
      int count = 0;
      file >> count;
      for (int i = 0; i < count; ++i) {
        std::string input, number;
        file >> input;
        stand_in_tensor& tensor = stand_in_inputs[input];
        file >> tensor.sizes.nbDims;
        for (int axis = 0; axis < tensor.sizes.nbDims; ++axis) file >> tensor.sizes.d[axis];
        for (std::int64_t left = nvinfer1::stand_in_volume(tensor.sizes); left > 0 && file >> number; --left) {
          tensor.values.push_back(std::strtod(number.c_str(), nullptr));
        }
      }
      nvinfer1::INetworkDefinition network;
      if (!populate(network, fx::read_weights((folder + "/" + name + ".weights").c_str()))) return;
      for (nvinfer1::ITensor* output : network.outputs) {
        std::cout << name << " " << output->sizes.nbDims;
        for (int axis = 0; axis < output->sizes.nbDims; ++axis) std::cout << " " << output->sizes.d[axis];
        for (double value : output->values) std::cout << " " << value;
        std::cout << "\\n";
      }
    }
    int main(int, char** arguments) {
      std::cout.precision(17);
    \(programs.map { "  evaluate(arguments[1], \"\($0.name)\", \($0.name)_populate);" }.joined(separator: "\n"))
    }

    """
  }
}

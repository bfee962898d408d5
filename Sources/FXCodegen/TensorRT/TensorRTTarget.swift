import FXCore
import FXShapes

/// A C++ program that builds a TensorRT engine: the network layer by layer, weights from a file, and an optimization
/// profile for sizes that the model leaves open.
///
/// Files: `NAME_tensorrt.cpp`, `fx_tensorrt.h`, and `NAME.weights`. For TensorRT 10. See docs/NativeCode.md for how far this
/// was verified.
public struct TensorRTTarget: CodeTarget {
  public let name = "tensorrt"
  public let summary = "C++ that builds a TensorRT 10 engine"

  /// There is nothing to set: programs are for TensorRT 10.
  public init() {}

  public func refusal(of node: Node, in graph: Graph) -> String? {
    guard let row = TensorRTOperators.standard[node.op] else {
      if NativeOperators.controlFlow.contains(node.op) { return "control flow is not written for TensorRT" }
      let open = Set(node.operands.flatMap { graph.type(of: $0).shape?.dimensions ?? [] }.flatMap(\.symbols)).sorted()
      guard node.op == .shape || node.op == .size, let symbol = open.first else { return "TensorRT's layers do not give it" }
      return "it computes with the size of \(open.joined(separator: ", ")), which is open: TensorRT's profile has bounds of it, "
        + "not a number; give one, as --size \(symbol)=8 does"
    }
    for (index, operand) in node.operands.enumerated() where !row.sizes.contains(index) {
      if case .value = operand, let reason = TensorRTType.refusal(of: graph.type(of: operand)) { return reason }
    }
    for result in node.results {
      if let reason = TensorRTType.refusal(of: graph.type(of: .value(result))) { return reason }
    }
    return nil
  }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    let name = Identifiers.sanitized(options.name ?? graph.name)
    var writer = try TensorRTWriter(graph, name: name)
    try writer.write()
    var result = GeneratedProgram()
    result.add(name + "_tensorrt.cpp", writer.source(title: options.name ?? graph.name))
    result.add("fx_tensorrt.h", NativePrelude.tensorRT)
    result.add(name + ".weights", NativeFiles.weightFile(writer.weights))
    result.notes = writer.openSizes.map { input, least, usual, most in
      "profile of '\(input)': sizes from \(least) to \(most), fastest at \(usual); a symbol without bounds is 1 to 1024"
    }
    return result
  }
}

/// How TensorRT calls element types.
enum TensorRTType {
  static func name(_ type: ElementType) -> String? {
    switch type {
    case .float32: "kFLOAT"
    case .float16: "kHALF"
    case .bfloat16: "kBF16"
    case .int32: "kINT32"
    case .int64: "kINT64"
    case .int8: "kINT8"
    case .uint8: "kUINT8"
    case .bool: "kBOOL"
    default: nil
    }
  }

  static func refusal(of type: ValueType) -> String? {
    guard let tensor = type.tensorType else { return "TensorRT has tensors only, not \(type)" }
    guard name(tensor.elementType) != nil else { return "TensorRT has no \(tensor.elementType)" }
    guard let shape = tensor.shape else { return "the rank of \(tensor) must be known" }
    return shape.rank > 8 ? "TensorRT has at most 8 axes" : nil
  }
}

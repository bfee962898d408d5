import FXCore
import FXShapes

/// Writes the calls that add a graph's layers to a network.
struct TensorRTWriter {
  let graph: Graph
  let name: String
  private(set) var weights: [UInt8] = []
  private var code = CodeText()
  private var contents: [ValueID: [Int]]
  private var names: [ValueID: String] = [:]
  private var identifiers = Identifiers(reserved: Identifiers.native.union(["net", "network"]))
  private var needed: Set<NodeID> = []
  private var offsets: [ParameterID: Int] = [:]

  init(_ graph: Graph, name: String) throws {
    var typed = graph
    contents = try ShapeInference().run(&typed).compactMapValues { dimensions in
      let sizes = dimensions.compactMap(\.size)
      return sizes.count == dimensions.count ? sizes : nil
    }
    self.graph = typed
    self.name = name
  }

  // MARK: - Reading

  func shape(_ operand: Operand) throws -> Shape {
    if case .literal = operand { return [] }
    guard let shape = graph.type(of: operand).shape else { throw NativeRefusal(reason: "its rank is not known") }
    return shape
  }

  /// Sizes with −1 for those that a run gives.
  func dims(_ operand: Operand) throws -> [Int] { try shape(operand).dimensions.map { $0.size ?? -1 } }

  /// - Throws: `NativeRefusal` for a size that a run gives.
  func fixed(_ operand: Operand) throws -> [Int] {
    guard let sizes = try shape(operand).sizes else {
      throw NativeRefusal(reason: "its sizes must be fixed: \(graph.type(of: operand))")
    }
    return sizes
  }

  func elementType(_ node: Node, _ index: Int) -> ElementType { NativeType.ofOperand(node, index, graph) }

  func integers(_ node: Node, _ index: Int) throws -> [Int] {
    switch node.operand(index) {
    case .value(let value): if let known = contents[value] { return known }
    case .parameter: if let tensor = graph.tensor(of: node.operand(index)) { return try tensor.converted(to: .int64).elements() }
    case .literal(.int(let x)): return [Int(x)]
    default: break
    }
    throw NativeRefusal(reason: "its operand '\(node.op.schema?.operand(index)?.name ?? "\(index)")' must be a constant")
  }

  // MARK: - Writing

  mutating func line(_ text: String) { code.line(text) }

  /// The tensor of an operand; constants are added where they are first used.
  mutating func tensor(_ node: Node, _ index: Int) throws -> String {
    try tensor(node.operand(index), elementType(node, index))
  }

  mutating func tensor(_ operand: Operand, _ type: ElementType) throws -> String {
    switch operand {
    case .value(let value):
      if let name = names[value] { return name }
      guard let known = contents[value] else { throw NativeRefusal(reason: "'\(graph.name(of: value))' has no layer") }
      let tensor = try Tensor(
        graph.type(of: operand).elementType ?? .int64, dims(operand), numbers: .signed(known.map(Int64.init)))
      let made = try constant(graph.name(of: value), tensor)
      names[value] = made
      return made
    case .parameter(let id):
      guard let tensor = try graph[id].tensor else { throw NativeRefusal(reason: "nothing is bound to '\(try graph[id].name)'") }
      return try constant(graph[id].name, tensor)
    case .literal(let literal): return try constant("constant", literal.tensor(type))
    case .none: throw NativeRefusal(reason: "an operand is missing")
    }
  }

  mutating func constant(_ label: String, _ tensor: Tensor) throws -> String {
    let name = identifiers.unique(label)
    code.line("auto* const \(name) = \(try weightsCall(tensor, "net.constant", dims: tensor.shape));")
    return name
  }

  /// `function({dims}, type, offset, count)`: what a weight's numbers are read with.
  mutating func weightsCall(_ tensor: Tensor, _ function: String, dims: [Int]?) throws -> String {
    guard let type = TensorRTType.name(tensor.elementType) else {
      throw NativeRefusal(reason: "TensorRT has no \(tensor.elementType)")
    }
    let offset = weights.count
    tensor.withUnsafeBytes { weights += $0 }
    weights += [UInt8](repeating: 0, count: (64 - weights.count % 64) % 64)
    let list = dims.map { "{\($0.map(String.init).joined(separator: ", "))}, " } ?? ""
    return "\(function)(\(list)DataType::\(type), \(offset), \(tensor.elementCount))"
  }

  /// The weights of a layer that takes them directly, such as a convolution's.
  /// - Throws: `NativeRefusal` if they are computed.
  mutating func layerWeights(_ node: Node, _ index: Int) throws -> String {
    if node.operand(index).isNone { return "net.no_weights()" }
    guard let tensor = graph.tensor(of: node.operand(index)) else {
      throw NativeRefusal(reason: "its operand '\(node.op.schema?.operand(index)?.name ?? "")' must be a constant")
    }
    return try weightsCall(tensor, "net.weights", dims: nil)
  }

  /// Names a result after the value.
  mutating func define(_ value: ValueID, _ expression: String) {
    let label = graph.name(of: value)
    let name = identifiers.unique(label)
    names[value] = name
    code.line("auto* const \(name) = net.named(\"\(CodeText.harmless(label))\", \(expression));")
  }

  /// A tensor between layers.
  mutating func intermediate(_ label: String, _ expression: String) -> String {
    let name = identifiers.unique(label)
    code.line("auto* const \(name) = \(expression);")
    return name
  }

  mutating func write() throws {
    try findNeeded()
    var refusals: [CodegenError.Refusal] = []
    for input in graph.inputs {
      let type = graph.type(of: .value(input))
      guard TensorRTType.refusal(of: type) == nil, let element = type.elementType, let native = TensorRTType.name(element) else {
        refusals.append(.init(node: graph.name(of: input), op: "input", location: nil, reason: "TensorRT has no \(type)"))
        continue
      }
      let name = identifiers.unique(graph.name(of: input))
      names[input] = name
      let sizes = try dims(.value(input)).map(String.init).joined(separator: ", ")
      code.line(
        "[[maybe_unused]] auto* const \(name) = net.input(\"\(CodeText.harmless(graph.name(of: input)))\", DataType::\(native), {\(sizes)});"
      )
    }
    for id in graph.bodyNodes where needed.contains(id) {
      let node = try graph[id]
      do {
        guard let row = TensorRTOperators.standard[node.op] else {
          throw NativeRefusal(reason: "TensorRT's layers do not give it")
        }
        try row.write(&self, node)
      } catch let refusal as NativeRefusal {
        refusals.append(
          .init(node: graph.name(of: id), op: node.op.description, location: node.location, reason: refusal.reason))
        for result in node.results where names[result] == nil { names[result] = "refused" }
      }
    }
    guard refusals.isEmpty else { throw CodegenError.unsupported(target: "tensorrt", refusals) }
    for (label, operand) in zip(graph.outputNames, graph.outputs) {
      let tensor = try tensor(operand, graph.type(of: operand).elementType ?? .float32)
      code.line("net.output(\"\(CodeText.harmless(label))\", \(tensor));")
    }
  }

  private mutating func findNeeded() throws {
    var pending: [Operand] = graph.outputs
    while let operand = pending.popLast() {
      guard let value = operand.value, contents[value] == nil,
        case .result(let id, _) = try graph.definition(of: value), needed.insert(id).inserted
      else { continue }
      let node = try graph[id]
      let sizes = TensorRTOperators.standard[node.op]?.sizes ?? []
      for (index, operand) in node.operands.enumerated() where !sizes.contains(index) { pending.append(operand) }
    }
  }

  // MARK: - The program

  /// The sizes that a run may give where the model leaves them open, for each such input.
  var openSizes: [(input: String, least: [Int], usual: [Int], most: [Int])] {
    graph.inputs.compactMap { input in
      guard let shape = graph.type(of: .value(input)).shape, shape.sizes == nil else { return nil }
      let ranges = shape.dimensions.map(range)
      return (graph.name(of: input), ranges.map(\.least), ranges.map(\.usual), ranges.map(\.most))
    }
  }

  func source(title: String) -> String {
    var file = CodeText()
    file.comment("Model '\(title)' as a TensorRT network, generated by fx.")
    file.comment("")
    file.comment(
      "g++ -std=c++17 \(name)_tensorrt.cpp -lnvinfer -o \(name)_tensorrt && ./\(name)_tensorrt \(name).weights \(name).engine")
    file.lines(["#include \"fx_tensorrt.h\"", "", "using nvinfer1::DataType;", ""])
    file.comment("Adds the layers; false if one cannot be made.")
    file.line("bool \(name)_populate(nvinfer1::INetworkDefinition& network, const fx::weight_bytes& weights) {")
    file.line("fx::network_builder net(network, weights);")
    var text = file.text
    text += code.text.split(separator: "\n", omittingEmptySubsequences: true).map { "  \($0)\n" }.joined()
    file = CodeText()
    file.lines(["  return net.complete();", "}", ""])
    file.line("#if !defined(FX_NO_MAIN)")
    file.comment("The sizes that runs may give: the least, the usual, the largest.")
    file.line("void \(name)_profile(nvinfer1::IOptimizationProfile& profile) {")
    let open = openSizes
    for (input, least, usual, most) in open {
      let lists = [least, usual, most].map { "{\($0.map(String.init).joined(separator: ", "))}" }
      file.line("fx::set_range(profile, \"\(CodeText.harmless(input))\", \(lists.joined(separator: ", ")));")
    }
    if open.isEmpty { file.line("static_cast<void>(profile);") }
    file.lines([
      "}", "", "int main(int count, char** arguments) {",
      "return fx::build(count, arguments, \(name)_populate, \(name)_profile, \(!open.isEmpty));", "}", "#endif",
    ])
    return text + file.text
  }

  /// What the bounds of a dimension's symbol allow; 1 to 1024 where nothing is known, and the least usual.
  private func range(_ dimension: Dimension) -> (least: Int, usual: Int, most: Int) {
    if let size = dimension.size { return (size, size, size) }
    func extreme(_ pick: (SymbolBounds) -> Int) -> Int {
      let values = dimension.symbols.reduce(into: [:]) { $0[$1] = pick(graph.symbols[$1] ?? SymbolBounds(minimum: 1)) }
      return max(dimension.evaluate(values) ?? 1, 1)
    }
    let least = extreme { max($0.minimum, 1) }
    return (least, least, max(least, extreme { $0.maximum ?? 1024 }))
  }
}

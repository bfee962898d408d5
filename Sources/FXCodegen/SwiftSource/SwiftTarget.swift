import FXCore
import FXTrace

/// A Swift function that builds the graph with this package, with weights in a safetensors file: how a model becomes
/// source in a user's package, to be read, edited and reviewed.
public struct SwiftTarget: CodeTarget {
  public let name = "swift"
  public let summary = "a Swift function that builds the graph"

  /// There is nothing to set: the function builds the graph with `FXCore` and infers its types with `FXShapes`.
  public init() {}

  /// Every operator is called by its name.
  public func refusal(of node: Node, in graph: Graph) -> String? {
    if !node.op.isRegistered { return "an operator that nobody registered has no name to be found by" }
    for entry in node.attributes {
      switch entry.value {
      case .types, .tensors: return "the attribute '\(entry.name)' is a list of \(entry.value.kind.rawValue)"
      case .tensor(let tensor) where tensor.strings != nil: return "the attribute '\(entry.name)' holds strings"
      default: break
      }
    }
    return nil
  }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    let name = options.programName(of: graph)
    var writer = SwiftWriter(graph)
    for (value, name) in zip(graph.inputs, graph.inputs.map { graph.name(of: $0) }) {
      try writer.define(value, "try graph.addInput(\(name.quoted), \(SwiftWriter.type(try graph.type(of: value))))")
    }
    try writer.declareParameters()
    try writer.write(graph.body)
    let function = name.split(separator: "_").enumerated().map { $0 == 0 ? $1.lowercased() : $1.capitalized }.joined()
    var text = SourceText(indent: 2)
    text.add("import FXCore\nimport FXShapes\n")
    let inputs = graph.inputs.map { "\(graph.name(of: $0).oneLine): \(graph.type(of: .value($0)))" }
    let outputs = zip(graph.outputNames, graph.outputs).map { "\($0.oneLine): \(graph.type(of: $1))" }
    text.add("/// \(inputs.joined(separator: ", ")) → \(outputs.joined(separator: ", "))")
    text.add("/// - Parameter weights: the tensors of \(name).safetensors: `Safetensors.read(path)`.")
    text.add("/// - Throws: `GraphError.unknownName` for a missing weight; what building a graph throws.")
    text.add("public func \(SwiftWriter.escaped(function))(_ weights: [String: Tensor]) throws -> Graph {")
    text.depth = 1
    text.add("var graph = Graph(name: \(graph.name.quoted))")
    if writer.usesWeights {
      text.add("func weight(_ name: String) throws -> Tensor {")
      text.add("  guard let tensor = weights[name] else { throw GraphError.unknownName(name, suggestions: []) }")
      text.add("  return tensor\n}")
    }
    text.add("func op(_ name: String) throws -> Operator { try OperatorTable.standard.find(name) }")
    text.depth = 0
    var source = text.text + writer.source.text
    source += "  try ShapeInference().run(&graph)\n  return graph\n}\n"
    var program = GeneratedProgram()
    program.add("\(name).swift", source)
    if !writer.weights.isEmpty { program.add("\(name).safetensors", try Safetensors.encode(writer.weights)) }
    return program
  }
}

/// Writes regions as calls that build them.
private struct SwiftWriter {
  let graph: Graph
  var source = SourceText(indent: 2, depth: 1)
  private(set) var weights: [String: Tensor] = [:]
  private(set) var usesWeights = false
  private var identifiers = Identifiers(reserved: SwiftWriter.keywords.union(SwiftWriter.own))
  private var names: [ValueID: String] = [:]
  private var parameters: [ParameterID: String] = [:]

  init(_ graph: Graph) { self.graph = graph }

  /// Names a value, unless nothing reads it.
  /// - Parameter isNamed: whether it gets a name all the same.
  mutating func define(_ value: ValueID, _ expression: String, isNamed: Bool = false) throws {
    guard try isNamed || !graph.uses(of: value).isEmpty else { return source.add("_ = \(expression)") }
    let name = identifiers.unique(graph.name(of: value))
    names[value] = name
    source.add("let \(name) = \(expression)")
  }

  /// - Parameter place: the expression of the region; the body if `nil`.
  mutating func write(_ region: RegionID, in place: String? = nil) throws {
    for id in try graph.nodes(in: region) { try write(graph[id], in: place) }
    let results = try graph.results(of: region).map { try text($0) }
    let labels = graph.resultNames(of: region).map(\.quoted)
    let names = place == nil ? ", names: [\(labels.joined(separator: ", "))]" : ""
    source.add("try graph.setResults(of: \(place ?? "graph.body"), [\(results.joined(separator: ", "))]\(names))")
  }

  private mutating func write(_ node: Node, in place: String?) throws {
    let operands = try node.operands.map { try text($0) }.joined(separator: ", ")
    var arguments = "op(\(node.op.description.quoted)), [\(operands)]"
    let attributes = node.attributes.filter { $0.value != node.op.schema?.defaultAttributes[$0.name] }
    if !attributes.isEmpty {
      let list = try attributes.map { "\($0.name.quoted): \(try text($0.value, of: $0.name, node))" }
      arguments += ", attributes: [\(list.joined(separator: ", "))]"
    }
    let at = place.map { ", at: .end(of: \($0))" } ?? ""
    // Types follow from inference, but for those that regions carry.
    if node.results.count == 1, node.regions.isEmpty {
      let label = graph.label(of: node.results[0]).map { ", name: \($0.quoted)" } ?? ""
      return try define(node.results[0], "try graph.call(\(arguments)\(at)\(label))")
    }
    let types = node.results.map { node.regions.isEmpty ? ".unknown" : SwiftWriter.type(graph.type(of: .value($0))) }
    let call = identifiers.unique(graph.name(of: node.id) + "_call")
    let isRead =
      try !node.regions.isEmpty || node.results.contains { try graph.label(of: $0) != nil || !graph.uses(of: $0).isEmpty }
    source.add(
      "\(isRead ? "let \(call)" : "_") = try graph.append(\(arguments), results: [\(types.joined(separator: ", "))]\(at))")
    for (index, region) in node.regions.enumerated() {
      let regionNames = node.op.schema?.regions ?? []
      let label = identifiers.unique(index < regionNames.count ? regionNames[index] : "region")
      source.add("let \(label) = try graph[\(call)].regions[\(index)]")
      for argument in try graph.arguments(of: region) {
        let type = SwiftWriter.type(graph.type(of: .value(argument)))
        try define(argument, "try graph.addArgument(to: \(label), name: \(graph.name(of: argument).quoted), \(type))")
      }
      try write(region, in: label)
    }
    for (index, value) in node.results.enumerated() {
      let label = graph.label(of: value)
      if try label == nil && graph.uses(of: value).isEmpty { continue }
      try define(value, "try graph[\(call)].results[\(index)]", isNamed: label != nil)
      if let label, let name = names[value] {
        source.add("try graph.setName(\(label.quoted), of: \(name))")
      }
    }
  }

  private mutating func text(_ operand: Operand) throws -> String {
    switch operand {
    case .value(let value): return ".value(\(names[value] ?? "undefined"))"
    case .literal(.bool(let x)): return ".literal(.bool(\(x)))"
    case .literal(.int(let x)): return ".literal(.int(\(x)))"
    case .literal(.float(let x)): return ".literal(.float(\(SwiftWriter.number(x))))"
    case .none: return ".none"
    case .parameter(let id): return ".parameter(\(try parameter(id)))"
    }
  }

  /// Declares the parameters that are used, in the graph's order.
  mutating func declareParameters() throws {
    let unused = Set(graph.unusedParameters)
    for id in graph.parameterIDs where !unused.contains(id) { _ = try parameter(id) }
  }

  private mutating func parameter(_ id: ParameterID) throws -> String {
    if let known = parameters[id] { return known }
    let parameter = try graph[id]
    let name = identifiers.unique(parameter.name)
    let key = parameter.name.quoted
    let role = parameter.role == .weight ? "" : ", role: .\(parameter.role.rawValue)"
    if let tensor = parameter.tensor {
      source.add("let \(name) = try graph.addParameter(\(key), \(try self.tensor(tensor, named: parameter.name))\(role))")
    } else {
      source.add("let \(name) = try graph.addParameter(\(key), unbound: \(SwiftWriter.tensorType(parameter.type))\(role))")
    }
    parameters[id] = name
    return name
  }

  /// A tensor: a number or a short vector in the source, else from the file of weights.
  private mutating func tensor(_ tensor: Tensor, named name: String) throws -> String {
    if tensor.shape.isEmpty || (tensor.shape.count == 1 && tensor.elementType == .int64 && tensor.elementCount <= 16),
      tensor.elementType == .int64 || tensor.elementType == .float32
    {
      let isInteger = tensor.elementType == .int64
      let list = try tensor.numbers().doubles.map {
        isInteger ? "\(Int(exactly: $0) ?? 0)" : SwiftWriter.number($0, isFloat: true)
      }
      let exact = try !isInteger || tensor.numbers().doubles.allSatisfy { Int(exactly: $0) != nil && $0.magnitude < 0x1p53 }
      if exact, tensor.shape.isEmpty { return "Tensor(\(isInteger ? "Int64" : "Float")(\(list[0])))" }
      if exact { return "Tensor(vector: [\(list.joined(separator: ", "))] as [\(isInteger ? "Int64" : "Float")])" }
    }
    weights[name] = tensor
    usesWeights = true
    return "weight(\(name.quoted))"
  }

  private mutating func text(_ value: AttributeValue, of name: String, _ node: Node) throws -> String {
    switch value {
    case .bool(let x): return "\(x)"
    case .int(let x): return "\(x)"
    case .float(let x): return x.isFinite ? "\(x)" : ".float(\(SwiftWriter.number(Double(x), isFloat: true)))"
    case .string(let x): return x.quoted
    case .ints(let x): return ".ints(\(x))"
    case .floats(let x): return ".floats([\(x.map { SwiftWriter.number(Double($0), isFloat: true) }.joined(separator: ", "))])"
    case .strings(let x): return ".strings([\(x.map(\.quoted).joined(separator: ", "))])"
    case .elementType(let x): return ".elementType(.\(x))"
    case .type(let x): return ".type(\(SwiftWriter.type(x)))"
    case .tensor(let x): return ".tensor(\(try tensor(x, named: "\(graph.name(of: node.id)).\(name)")))"
    case .types, .tensors: throw NotExpressible("the attribute '\(name)' is a list of \(value.kind.rawValue)")
    }
  }

  static func number(_ x: Double, isFloat: Bool = false) -> String {
    if x.isNaN { return ".nan" }
    if x.isInfinite { return x < 0 ? "-.infinity" : ".infinity" }
    return isFloat ? "\(Float(x))" : "\(x)"
  }

  static func type(_ type: ValueType) -> String {
    switch type {
    case .unknown: ".unknown"
    case .tensor(let tensor): ".tensor(\(parts(tensor)))"
    case .sequence(let element): ".sequence(\(self.type(element)))"
    case .optional(let wrapped): ".optional(\(self.type(wrapped)))"
    case .map(let key, let value): ".map(.\(key), \(self.type(value)))"
    }
  }

  static func tensorType(_ type: TensorType) -> String { "TensorType(\(parts(type)))" }

  private static func parts(_ type: TensorType) -> String {
    guard let shape = type.shape else { return ".\(type.elementType), nil" }
    return ".\(type.elementType), [\(shape.map(dimension).joined(separator: ", "))]"
  }

  /// A size, a symbol, or their polynomial.
  private static func dimension(_ dimension: Dimension) -> String {
    if let size = dimension.size { return "\(size)" }
    if let symbol = dimension.symbol { return symbol.quoted }
    // Other expressions follow from inference.
    return ".unknown"
  }

  static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

  /// What the function names itself.
  private static let own: Set<String> = [
    "graph", "weights", "weight", "op", "Float", "GraphError", "Int64", "Operator", "OperatorTable", "ShapeInference", "String",
    "TensorType",
  ]

  private static let keywords: Set<String> = [
    "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import", "init", "inout", "internal", "let",
    "open", "operator", "private", "precedencegroup", "protocol", "public", "rethrows", "static", "struct", "subscript",
    "typealias",
    "var", "break", "case", "catch", "continue", "default", "defer", "do", "else", "fallthrough", "for", "guard", "if", "in",
    "repeat", "return", "throw", "switch", "where", "while", "Any", "as", "await", "false", "is", "nil", "self", "Self", "super",
    "throws", "true", "try", "async", "actor", "some", "any", "then", "Tensor", "Graph",
  ]
}

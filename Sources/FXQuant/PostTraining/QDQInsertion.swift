import FXCore
import Foundation

/// Puts `quantize_linear` and `dequantize_linear` where a plan says: what a node reads is rounded to integers and back, which
/// integer kernels then take over, and which every executor runs as it stands.
///
/// Before, with the operands of `conv` in the plan:
/// ```
/// graph @main(%x: f32[1, 1, 4, 4]) {
///   parameter @w: f32[1, 1, 3, 3] weight = […]
///   %y = conv(%x, @w)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[1, 1, 4, 4]) {
///   %node_1 = quantize_linear(%x, @x_scale, @x_zero_point)
///   %node_2 = dequantize_linear(%node_1, @x_scale, @x_zero_point)
///   %node_3 = dequantize_linear(@w_quantized, @w_scale, @w_zero_point) {axis = 0}
///   %y = conv(%node_2, %node_3)
///   return %y
/// }
/// ```
struct QDQInsertion {
  /// What becomes of weights.
  enum Weights {
    /// Integers, which `dequantize_linear` reads.
    case integers
    /// They stay numbers that training changes, rounded by a pair of calls; scales are trained too if `learnsScales`.
    case rounded(learnsScales: Bool)
  }

  private(set) var graph: Graph
  let data: CalibrationData
  let weights: Weights
  /// What stands for a value that was not observed; `nil` makes that an error.
  var fallback: ClosedRange<Float>?
  /// The parameters that were found for values, by value.
  private(set) var found: [ValueID: QuantizationParams] = [:]
  /// The weights that were quantized, by node.
  private(set) var foundWeights: [NodeID: QuantizationParams] = [:]
  private var groups = ValueGroups()
  private var pairs: [ValueID: ValueID] = [:]
  private var scales: [ValueID: (scale: Operand, zeroPoint: Operand)] = [:]
  private var weightPairs: [WeightKey: Operand] = [:]

  private struct WeightKey: Hashable {
    let parameter: ParameterID
    let params: QuantizationParams
  }

  init(_ graph: Graph, _ data: CalibrationData, weights: Weights = .integers, fallback: ClosedRange<Float>? = nil) {
    (self.graph, self.data, self.weights, self.fallback) = (graph, data, weights, fallback)
  }

  mutating func apply(_ plan: QuantizationPlan) throws {
    var specs: [ValueID: QuantizationSpec] = [:]
    for entry in plan.nodes {
      let node = try graph[entry.node]
      var first: ValueID?
      for index in entry.operands.keys.sorted() {
        guard case .activation(let spec)? = entry.operands[index], let value = node.operand(index).value else { continue }
        if specs[value] == nil { specs[value] = spec }
        if entry.sharesParams, let first { groups.join(first, value) }
        first = first ?? value
      }
      if entry.sharesParams, let first, let result = node.results.first { groups.join(first, result) }
    }
    try findParams(specs)
    for entry in plan.nodes { try rewrite(entry) }
    if case .integers = weights { graph.removeUnusedParameters() }
  }

  /// Parameters for all values; values of one group get those of all that was observed of the group.
  private mutating func findParams(_ specs: [ValueID: QuantizationSpec]) throws {
    let annotated = Dictionary(
      try graph.quantizationAnnotations().compactMap { annotation in
        try annotation.params.flatMap { params in try graph[annotation.node].results.first.map { ($0, params) } }
      }, uniquingKeysWith: { first, _ in first })
    var members: [ValueID: [ValueID]] = [:]
    for value in specs.keys { members[groups.representative(of: value), default: []].append(value) }
    for values in members.values {
      let ordered = values.sorted { graph.name(of: $0) < graph.name(of: $1) }
      guard let spec = specs[ordered[0]] else { continue }
      var params = ordered.compactMap { annotated[$0] }.first
      if params == nil {
        var statistics: TensorStatistics?
        for value in ordered {
          guard let more = data[graph.name(of: value)] else { continue }
          statistics?.merge(more)
          statistics = statistics ?? more
        }
        if let statistics {
          params = try spec.observer.params(of: statistics, as: spec.elementType, spec.scheme)
        } else if let fallback {
          params = try QuantizationParams(covering: [fallback], as: spec.elementType, spec.scheme)
        } else {
          throw QuantizationError.notObserved(graph.name(of: ordered[0]))
        }
      }
      for value in ordered { found[value] = params }
    }
  }

  private mutating func rewrite(_ entry: NodeQuantization) throws {
    let node = try graph[entry.node]
    var inputScale: Float?
    for index in entry.operands.keys.sorted() {
      guard case .activation? = entry.operands[index], let value = node.operand(index).value, let params = found[value] else {
        continue
      }
      if index == 0 { inputScale = params.scale }
      let rounded = try roundedValue(value, params)
      try graph.setOperand(index, of: entry.node, to: .value(rounded))
    }
    for index in entry.operands.keys.sorted() {
      guard case .weight(let spec, let axis)? = entry.operands[index], let id = node.operand(index).parameter else { continue }
      let parameter = try graph[id]
      var params: QuantizationParams
      if let tensor = parameter.tensor {
        params = try spec.params(of: tensor, axis: axis)
      } else {
        params = try QuantizationParams(covering: [-1...1], as: spec.elementType, spec.scheme)
      }
      let biasIndex = entry.operands.first { if case .bias(_, index) = $0.value { true } else { false } }?.key
      if let biasIndex, let inputScale, let bias = graph.tensor(of: node.operand(biasIndex)) {
        params = try params.raised(toHold: bias.elements(Float.self), inputScale: inputScale)
      }
      foundWeights[entry.node] = params
      try graph.setOperand(index, of: entry.node, to: roundedWeight(id, params, before: entry.node))
      if case .integers = weights, let biasIndex, let inputScale {
        try graph.quantizeBias(biasIndex, of: entry.node, weightScales: params.scales, inputScale: inputScale)
      }
    }
  }

  /// The value rounded to integers and back, where it is made.
  private mutating func roundedValue(_ value: ValueID, _ params: QuantizationParams) throws -> ValueID {
    if let pair = pairs[value] { return pair }
    let name = graph.name(of: value)
    // Values that share parameters share their trained scale.
    let representative = groups.representative(of: value)
    let first = graph.bodyNodes.first.map(InsertionPoint.before) ?? .end(of: graph.body)
    let operands: (scale: Operand, zeroPoint: Operand)
    if let known = scales[representative] {
      operands = known
    } else {
      operands = try addParams(params, named: name, shape: [], at: first)
      scales[representative] = operands
    }
    let point = try graph.producer(of: value).map(InsertionPoint.after) ?? first
    let rounded = try addPair(.value(value), operands, params, at: point)
    pairs[value] = rounded
    return rounded
  }

  private mutating func addParams(
    _ params: QuantizationParams, named name: String, shape: [Int], at point: InsertionPoint
  ) throws -> (scale: Operand, zeroPoint: Operand) {
    let scales = try params.scaleTensor(for: shape)
    let zeroPoint = graph.addConstant(try params.zeroPointTensor(for: shape), name: "\(name)_zero_point")
    guard case .rounded(true) = weights else {
      return (.parameter(graph.addConstant(scales, name: "\(name)_scale")), .parameter(zeroPoint))
    }
    // The logarithm is trained: scales stay positive, and steps are in proportion to them.
    let logarithms = try scales.numbers().doubles.map { Foundation.log($0) }
    let parameter = try graph.addTrained(
      Tensor(.float32, scales.shape, numbers: .floats(logarithms)), name: "\(name)_log_scale")
    return (.value(try graph.call(.exp, [.parameter(parameter)], type: .tensor(scales.type), at: point)), .parameter(zeroPoint))
  }

  private mutating func addPair(
    _ operand: Operand, _ operands: (scale: Operand, zeroPoint: Operand), _ params: QuantizationParams, at point: InsertionPoint
  ) throws -> ValueID {
    let type = graph.type(of: operand)
    let quantized = try graph.call(
      .quantizeLinear, [operand, operands.scale, operands.zeroPoint], attributes: params.attributes,
      type: .tensor(params.elementType, type.shape), at: point)
    guard let node = try graph.producer(of: quantized) else { return quantized }
    return try graph.call(
      .dequantizeLinear, [.value(quantized), operands.scale, operands.zeroPoint], attributes: params.attributes, type: type,
      at: .after(node))
  }

  private mutating func roundedWeight(
    _ id: ParameterID, _ params: QuantizationParams, before node: NodeID
  ) throws -> Operand {
    let key = WeightKey(parameter: id, params: params)
    let parameter = try graph[id]
    let shape = parameter.type.shape?.sizes ?? []
    if case .integers = weights, let tensor = parameter.tensor {
      // Nodes that share weights share the integers; each has a call of its own, which fuses into it.
      let integers: Operand
      if let known = weightPairs[key] {
        integers = known
      } else {
        integers = .parameter(
          graph.addConstant(try params.quantize(tensor), name: "\(parameter.name)_quantized"))
        weightPairs[key] = integers
      }
      let operands = try addParams(params, named: parameter.name, shape: shape, at: .before(node))
      return .value(
        try graph.call(
          .dequantizeLinear, [integers, operands.scale, operands.zeroPoint], attributes: params.attributes,
          type: .tensor(parameter.type), at: .before(node)))
    }
    let operands = try addParams(params, named: parameter.name, shape: shape, at: .before(node))
    return .value(try addPair(.parameter(id), operands, params, at: .before(node)))
  }
}

/// Sets of values that share parameters.
private struct ValueGroups {
  private var parents: [ValueID: ValueID] = [:]

  func representative(of value: ValueID) -> ValueID {
    var value = value
    while let parent = parents[value] { value = parent }
    return value
  }

  mutating func join(_ a: ValueID, _ b: ValueID) {
    let (a, b) = (representative(of: a), representative(of: b))
    if a != b { parents[b] = a }
  }
}

extension Graph {
  /// Makes a known bias 32-bit integers whose scale is x's times the weights'. It stays as it is where that scale underflows.
  mutating func quantizeBias(_ index: Int, of node: NodeID, weightScales: [Float], inputScale: Float) throws {
    guard let id = try self[node].operand(index).parameter, let tensor = try self[id].tensor, tensor.shape.count == 1,
      tensor.elementType == .float32
    else { return }
    let bias = try tensor.elements(Float.self)
    let scales = weightScales.map { $0 * inputScale }
    guard scales.allSatisfy({ $0 >= .leastNormalMagnitude }), scales.count == 1 || scales.count == bias.count else { return }
    let limits = Double(Int32.min)...Double(Int32.max)
    let integers = bias.enumerated().map { index, value in
      (Double(value) / Double(scales[scales.count == 1 ? 0 : index])).rounded(.toNearestOrEven)
    }
    guard integers.allSatisfy(limits.contains) else { return }
    let name = try self[id].name
    let shape = scales.count == 1 ? [] : [scales.count]
    let quantized = addConstant(
      try Tensor(.int32, tensor.shape, numbers: .floats(integers)), name: "\(name)_quantized")
    let scale = addConstant(try Tensor(shape, scales), name: "\(name)_quantized_scale")
    let zeroPoint = addConstant(try Tensor(zeros: .int32, shape), name: "\(name)_quantized_zero_point")
    let value = try call(
      .dequantizeLinear, [.parameter(quantized), .parameter(scale), .parameter(zeroPoint)], attributes: ["axis": 0],
      type: .tensor(tensor.type), at: .before(node))
    try setOperand(index, of: node, to: .value(value))
  }

  /// Adds a weight that is trained, under a name derived from `name` if that is taken.
  mutating func addTrained(_ tensor: Tensor, name: String) throws -> ParameterID {
    var free = name
    var suffix = 1
    while parameter(named: free) != nil { (free, suffix) = ("\(name)_\(suffix)", suffix + 1) }
    return try addParameter(free, tensor, role: .weight)
  }
}

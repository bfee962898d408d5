import FXCore

/// Finds the calls that are layers of PyTorch's: `F.conv2d(x, self.conv1.weight, padding=1)` is `self.conv1(x)` of an
/// `nn.Conv2d`, if its weights are used nowhere else and the module holds nothing but them.
struct TorchLayers {
  /// The parameters of modules that hold no modules, by the modules' expressions.
  let leaves: [String: [String: ParameterID]]
  private let graph: Graph
  private var useCounts: [ParameterID: Int] = [:]
  /// What makes each layer that was found, by its expression.
  private(set) var constructors: [String: String] = [:]

  init(leaves: [String: [String: ParameterID]], graph: Graph) {
    self.leaves = leaves
    self.graph = graph
    let operands =
      graph.outputs
      + graph.allNodes.flatMap { node in
        ((try? graph[node].operands) ?? []) + ((try? graph[node].regions) ?? []).flatMap { graph.results(of: $0) }
      }
    for operand in operands { if let id = operand.parameter { useCounts[id, default: 0] += 1 } }
  }

  /// The call of a layer in place of a function's; `nil` if there is none.
  mutating func layer(_ expression: TorchExpression, _ site: CallSite) -> TorchExpression? {
    guard case .call(let function, let arguments) = expression, let x = arguments.first else { return nil }
    let names = arguments.dropFirst().compactMap { argument -> String? in
      if case .name(let name) = argument { name } else { nil }
    }
    let options = arguments.filter { if case .keyed = $0 { true } else { false } }.map { $0.text(.python) }
    guard let weight = names.first(where: { $0.hasSuffix(".weight") }) else { return nil }
    let module = String(weight.dropLast(".weight".count))
    guard let parameters = leaves[module], module != "self" else { return nil }
    // Exactly the module's parameters, each used here and nowhere else.
    guard Set(names) == Set(parameters.keys.map { "\(module).\($0)" }), names.count == parameters.count,
      parameters.values.allSatisfy({ useCounts[$0] == 1 }),
      let constructor = constructor(function, parameters, options, site, arguments)
    else { return nil }
    constructors[module] = constructor
    return .call(module, [x])
  }

  private func constructor(
    _ function: String, _ parameters: [String: ParameterID], _ options: [String], _ site: CallSite,
    _ arguments: [TorchExpression]
  ) -> String? {
    // Layers are made in single precision, and their parameters are trained.
    for id in parameters.values {
      guard let parameter = try? graph[id], parameter.type.elementType == .float32, parameter.role != .constant else {
        return nil
      }
    }
    guard let id = parameters["weight"], let sizes = try? graph[id].type.shape?.sizes else { return nil }
    let bias = parameters["bias"] == nil ? ["bias=False"] : []
    func make(_ name: String, _ sizes: [String], _ options: [String]) -> String {
      "nn.\(name)(\((sizes + options).joined(separator: ", ")))"
    }
    switch (function, Set(parameters.keys)) {
    case ("F.conv1d", ["weight"]), ("F.conv1d", ["weight", "bias"]), ("F.conv2d", ["weight"]), ("F.conv2d", ["weight", "bias"]),
      ("F.conv3d", ["weight"]), ("F.conv3d", ["weight", "bias"]):
      let kernel = Array(sizes.dropFirst(2))
      let size = Set(kernel).count == 1 ? "\(kernel[0])" : NumpyCall.tuple(kernel)
      return make("C" + function.dropFirst(3), ["\(sizes[1] * site[Conv.group])", "\(sizes[0])", size], options + bias)
    case ("F.linear", ["weight"]), ("F.linear", ["weight", "bias"]):
      guard sizes.count == 2 else { return nil }
      return make("Linear", ["\(sizes[1])", "\(sizes[0])"], bias)
    case ("F.layer_norm", ["weight", "bias"]):
      let shape = sizes.count == 1 ? "\(sizes[0])" : NumpyCall.tuple(sizes)
      return make("LayerNorm", [shape], options.filter { $0 != "eps=1e-05" })
    case ("F.batch_norm", ["weight", "bias", "running_mean", "running_var"]):
      guard let rank = site.rank(0), (2...5).contains(rank), arguments.count > 4,
        arguments.dropFirst().prefix(4).map({ $0.text(.python).split(separator: ".").last ?? "" })
          == ["running_mean", "running_var", "weight", "bias"]
      else { return nil }
      return make("BatchNorm\(max(rank - 2, 1))d", ["\(sizes[0])"], options.filter { $0 != "eps=1e-05" })
    default: return nil
    }
  }
}

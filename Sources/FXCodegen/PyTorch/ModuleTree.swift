import FXCore

/// The modules and parameters of an `nn.Module`, as the paths of parameters have them: `layers.0.weight` is the parameter
/// `weight` of the module `layers[0]`.
struct ModuleTree {
  final class Module {
    var children: [(name: String, module: Module)] = []
    var parameters: [(name: String, id: ParameterID)] = []

    func child(_ name: String) -> Module {
      if let known = children.first(where: { $0.name == name }) { return known.module }
      let module = Module()
      children.append((name, module))
      return module
    }

    /// Whether the children are called 0, 1, 2, …
    var isList: Bool {
      parameters.isEmpty && !children.isEmpty && children.map(\.name) == (0..<children.count).map(String.init)
    }
  }

  let root = Module()
  /// How each parameter is spelled: `self.layers[0].weight`.
  private(set) var expressions: [ParameterID: String] = [:]
  /// What each is called in the state dictionary: `layers.0.weight`.
  private(set) var keys: [ParameterID: String] = [:]
  /// The modules that hold parameters and no modules: their expressions, and the parameters by name.
  private(set) var leaves: [String: [String: ParameterID]] = [:]

  init(_ ids: [ParameterID], of graph: Graph) throws {
    // A name that is also the beginning of another's path cannot be both module and parameter.
    let names = try ids.map { try graph[$0].name }
    var prefixes: Set<[Substring]> = []
    for name in names {
      let parts = name.split(separator: ".")
      for count in 1..<max(parts.count, 1) { prefixes.insert(Array(parts.prefix(count))) }
    }
    for (id, name) in zip(ids, names) {
      let parts = name.split(separator: ".")
      let isPath = parts.count > 1 && !prefixes.contains(parts) && parts.joined(separator: ".") == name
      var module = root
      for part in isPath ? parts.dropLast() : [] { module = module.child(ModuleTree.attribute(String(part), isIndex: true)) }
      let base = ModuleTree.attribute(isPath ? String(parts[parts.count - 1]) : name, isIndex: false)
      var candidate = base
      var number = 1
      while module.parameters.contains(where: { $0.name == candidate })
        || module.children.contains(where: { $0.name == candidate })
      {
        number += 1
        candidate = "\(base)_\(number)"
      }
      module.parameters.append((candidate, id))
    }
    sort(root)
    nameBiases(root)
    spell(root, "self", "")
  }

  /// Names of `nn.Module` that attributes would hide.
  private static let taken: Set<String> = [
    "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu", "cuda",
    "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state", "get_parameter",
    "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children", "named_modules",
    "named_parameters", "parameters", "register_backward_hook", "register_buffer", "register_forward_hook",
    "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook", "register_module", "register_parameter",
    "register_state_dict_post_hook", "register_state_dict_pre_hook", "requires_grad_", "set_extra_state", "set_submodule",
    "share_memory", "state_dict", "to", "to_empty", "train", "training", "type", "xpu", "zero_grad",
  ]

  private static func attribute(_ name: String, isIndex: Bool) -> String {
    if isIndex, !name.isEmpty, name.allSatisfy({ $0.isASCII && $0.isNumber }), name == "0" || name.first != "0" { return name }
    let plain = Identifiers.sanitized(name)
    return taken.contains(plain) || Identifiers.python.contains(plain) ? plain + "_" : plain
  }

  /// Numbered modules in the order of their numbers, if these have no gaps; else their names get a letter.
  private func sort(_ module: Module) {
    let numbers = module.children.compactMap { Int($0.name) }
    if numbers.count == module.children.count, numbers.sorted() == Array(0..<numbers.count) {
      module.children.sort { (Int($0.name) ?? 0) < (Int($1.name) ?? 0) }
    }
    if !module.isList {
      module.children = module.children.map { (Int($0.name) == nil ? $0.name : "m" + $0.name, $0.module) }
    }
    for child in module.children { sort(child.module) }
  }

  /// Exporters that fold batch normalization into convolutions call what they add after the weight.
  private func nameBiases(_ module: Module) {
    if module.parameters.map(\.name).sorted() == ["weight", "weight_bias"] {
      module.parameters = module.parameters.map { ($0.name == "weight" ? "weight" : "bias", $0.id) }
    }
    for child in module.children { nameBiases(child.module) }
  }

  private mutating func spell(_ module: Module, _ expression: String, _ key: String) {
    for (name, id) in module.parameters {
      expressions[id] = "\(expression).\(name)"
      keys[id] = key + name
    }
    if module.children.isEmpty {
      leaves[expression] = Dictionary(module.parameters.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
    }
    for (name, child) in module.children {
      spell(child, module.isList ? "\(expression)[\(name)]" : "\(expression).\(name)", "\(key)\(name).")
    }
  }

  /// The statements that make the modules and parameters.
  /// - Parameter layers: constructors of modules that are layers of PyTorch's.
  func declarations(of graph: Graph, layers: [String: String] = [:]) throws -> [String] {
    var lines: [String] = []
    try declare(root, "self", graph, layers, &lines)
    return lines
  }

  private func declare(
    _ module: Module, _ expression: String, _ graph: Graph, _ layers: [String: String], _ lines: inout [String]
  ) throws {
    for (name, id) in module.parameters {
      let parameter = try graph[id]
      let type = TorchTypes.name(parameter.type.elementType, .python)
      let sizes = parameter.type.shape?.sizes
      let shape = sizes.map { $0.isEmpty ? "()" : $0.map(String.init).joined(separator: ", ") }
      let empty = shape.map { "torch.empty(\($0)" + (type == "torch.float32" ? ")" : ", dtype=\(type))") }
      if parameter.type.elementType.isFloatingPoint, parameter.role == .weight {
        lines.append(
          "\(expression).\(name) = " + (empty.map { "nn.Parameter(\($0))" } ?? "nn.parameter.UninitializedParameter()"))
      } else {
        lines.append("\(expression).register_buffer(\(name.sourceQuoted), \(empty ?? "None"))")
      }
    }
    for (name, child) in module.children {
      let path = module.isList ? "\(expression)[\(name)]" : "\(expression).\(name)"
      if let layer = layers[path] {
        lines.append("\(path) = \(layer)")
        continue
      }
      if child.isList {
        lines.append("\(path) = nn.ModuleList(nn.Module() for _ in range(\(child.children.count)))")
      } else if !module.isList {
        lines.append("\(path) = nn.Module()")
      }
      try declare(child, path, graph, layers, &lines)
    }
  }
}

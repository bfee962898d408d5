import FXCore

extension ModulePart {
  /// The parameters and modules among the stored properties of a value, those of its superclasses first.
  static func found(in module: Any) -> [ModulePart] {
    var parts: [ModulePart] = []
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: module)
    while let each = mirror {
      mirrors.append(each)
      mirror = each.superclassMirror
    }
    for mirror in mirrors.reversed() {
      for child in mirror.children {
        guard let label = child.label else { continue }
        collect(child.value, label.withoutStoragePrefix, &parts)
      }
    }
    return parts
  }

  private static func collect(_ value: Any, _ name: String, _ parts: inout [ModulePart]) {
    if let module = value as? any Module { return parts.append(ModulePart(name, module)) }
    if let parameter = value as? ModuleParameter { return parts.append(ModulePart(name, parameter)) }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      for child in mirror.children { collect(child.value, name, &parts) }
    case .collection, .tuple:
      for (index, child) in mirror.children.enumerated() {
        let label = child.label.map { $0.first == "." ? String($0.dropFirst()) : $0 } ?? String(index)
        collect(child.value, "\(name).\(label)", &parts)
      }
    case .dictionary:
      let entries = mirror.children.compactMap { child -> (key: String, value: Any)? in
        let pair = Array(Mirror(reflecting: child.value).children)
        return pair.count == 2 ? (String(describing: pair[0].value), pair[1].value) : nil
      }
      for entry in entries.sorted(by: { $0.key < $1.key }) { collect(entry.value, "\(name).\(entry.key)", &parts) }
    default: break
    }
  }
}

extension String {
  /// The property that a lazy or wrapped property is stored for.
  fileprivate var withoutStoragePrefix: String {
    if hasPrefix("$__lazy_storage_$_") { return String(dropFirst(18)) }
    return hasPrefix("_") ? String(dropFirst()) : self
  }
}

/// Where the parameters and modules of a model are: paths of property names from the model down.
struct ModulePaths {
  /// By identity. A parameter held in two places has the path found first.
  private(set) var parameters: [ObjectIdentifier: String] = [:]
  /// Modules that are classes, by identity.
  private var modules: [ObjectIdentifier: String] = [:]
  /// In the order of properties, each once.
  private(set) var ordered: [(path: String, parameter: ModuleParameter)] = []

  init() {}

  init(_ root: any Module) { walk(root, "") }

  private mutating func walk(_ module: any Module, _ path: String) {
    if let identity = module.moduleIdentity {
      guard modules.updateValue(path, forKey: identity) == nil else { return }
    }
    for part in module.parts {
      let inner = path.isEmpty ? part.name : "\(path).\(part.name)"
      switch part.content {
      case .module(let module): walk(module, inner)
      case .parameter(let parameter):
        guard parameters[ObjectIdentifier(parameter)] == nil else { continue }
        parameters[ObjectIdentifier(parameter)] = inner
        ordered.append((inner, parameter))
      }
    }
  }

  /// Where the module is. One that is a value is known by the first parameter it holds; `nil` if it holds none.
  func path(of module: any Module) -> String? {
    if let identity = module.moduleIdentity { return modules[identity] }
    var visited: Set<ObjectIdentifier> = []
    guard let first = ModulePaths.firstParameter(of: module, &visited), let path = parameters[ObjectIdentifier(first.parameter)],
      path.hasSuffix(first.path)
    else { return nil }
    let prefix = path.dropLast(first.path.count)
    return prefix.isEmpty ? "" : prefix.last == "." ? String(prefix.dropLast()) : nil
  }

  /// Where the walk over a module finds its first parameter: no more of it is looked at.
  private static func firstParameter(
    of module: any Module, _ visited: inout Set<ObjectIdentifier>
  ) -> (path: String, parameter: ModuleParameter)? {
    if let identity = module.moduleIdentity, !visited.insert(identity).inserted { return nil }
    for part in module.parts {
      switch part.content {
      case .parameter(let parameter): return (part.name, parameter)
      case .module(let inner):
        if let found = firstParameter(of: inner, &visited) { return ("\(part.name).\(found.path)", found.parameter) }
      }
    }
    return nil
  }
}

import FXCore

/// A model or a part of one: properties that are parameters and other modules, and a function of symbolic tensors.
///
/// ```swift
/// struct Classifier: Module {
///   let layers = Sequential(Linear(784, 128), ReLU(), Linear(128, 10))
///   func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmax(layers(x)) }
/// }
/// let graph = try trace(Classifier(), .tensor(.float32, ["batch", 784]))
/// let probabilities = try Classifier().callEagerly(digits, executor: ReferenceExecutor())
/// ```
///
/// Call a module as a function, `layers(x)`, rather than its `forward`: the call is what records where it was made, names
/// the module in locations, and lets `TraceOptions` keep it opaque.
public protocol Module<Input, Output> {
  associatedtype Input: TensorGroup = SymbolicTensor
  associatedtype Output: TensorGroup = SymbolicTensor
  func forward(_ input: Input) -> Output

  /// The parameters and modules that this one holds, by name: by default its stored properties, and the members of
  /// arrays, dictionaries and optionals among them.
  var parts: [ModulePart] { get }
}

/// A module of one tensor.
public typealias TensorModule = Module<SymbolicTensor, SymbolicTensor>

/// Something a module holds.
public struct ModulePart {
  public enum Content {
    case parameter(ModuleParameter)
    case module(any Module)
  }
  /// A property's name, or `layers.0` for a member of an array.
  public let name: String
  public let content: Content

  public init(_ name: String, _ parameter: ModuleParameter) {
    self.name = name
    content = .parameter(parameter)
  }

  public init(_ name: String, _ module: any Module) {
    self.name = name
    content = .module(module)
  }
}

/// What a module takes or gives: a tensor, an array of tensors, or a type of the user's that holds some.
public protocol TensorGroup {
  var tensors: [SymbolicTensor] { get }
  /// A group of as many tensors as it needs; `nil` if `tensors` are too few or too many.
  init?(tensors: [SymbolicTensor])
}

extension SymbolicTensor: TensorGroup {
  public var tensors: [SymbolicTensor] { [self] }
  public init?(tensors: [SymbolicTensor]) {
    guard tensors.count == 1 else { return nil }
    self = tensors[0]
  }
}

extension Array: TensorGroup where Element == SymbolicTensor {
  public var tensors: [SymbolicTensor] { self }
  public init?(tensors: [SymbolicTensor]) { self = tensors }
}

extension Module {
  public var parts: [ModulePart] { ModulePart.found(in: self) }

  /// Applies the module. The call's line is what calls inside report that cannot know their own.
  public func callAsFunction(_ input: Input, fileID: String = #fileID, line: Int = #line) -> Output {
    guard let session = input.tensors.first?.session else { return forward(input) }
    return session.call(self, input, at: .init(file: fileID, line: line))
  }
}

extension TraceSession {
  func call<M: Module>(_ module: M, _ input: M.Input, at site: CallSite) -> M.Output {
    if let last = modules.indices.last { (modules[last].file, modules[last].line) = (site.file, site.line) }
    let path = paths.path(of: module) ?? modulePath
    if executor == nil, let isLeaf = options.isLeaf, isLeaf(module, path),
      let output = callOpaquely(module, input, path, at: site)
    {
      return output
    }
    return enter(module, input, path, at: site)
  }

  private func enter<M: Module>(_ module: M, _ input: M.Input, _ path: String, at site: CallSite) -> M.Output {
    modules.append(ModuleFrame(path: path, file: site.file, line: site.line))
    defer { modules.removeLast() }
    return module.forward(input)
  }

  /// One `call` node whose region is the module's graph. `nil` after a mistake, which is kept.
  private func callOpaquely<M: Module>(_ module: M, _ input: M.Input, _ path: String, at site: CallSite) -> M.Output? {
    guard mistake == nil else { return nil }
    let operands = input.tensors.map(\.symbolicOperand)
    let results = callWithRegions(
      .call, operands, arguments: [input.tensors.map(\.type)], at: site, name: path,
      resultCount: { $0[0] },
      body: { _, arguments in
        guard let inner = M.Input(tensors: arguments) else { return [] }
        return self.enter(module, inner, path, at: site).tensors.map(\.symbolicOperand)
      })
    return results.flatMap { M.Output(tensors: $0) }
  }
}

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
  /// What `forward` takes: one tensor, unless the type says otherwise.
  associatedtype Input: TensorGroup = SymbolicTensor
  /// What `forward` gives: one tensor, unless the type says otherwise.
  associatedtype Output: TensorGroup = SymbolicTensor
  /// What the module computes, written in functions and operators on symbolic tensors.
  ///
  /// `trace` and eager runs call it for the model itself, `callAsFunction` for the modules inside. It must not depend on anything
  /// but its input and the module, since the graph keeps what one call of it did.
  func forward(_ input: Input) -> Output

  /// The parameters and modules that this one holds, by name: by default its stored properties, and the members of
  /// arrays, dictionaries and optionals among them.
  var parts: [ModulePart] { get }

  /// What tells one module that is a class from another; `nil` for values.
  var moduleIdentity: ObjectIdentifier? { get }
}

extension Module {
  public var moduleIdentity: ObjectIdentifier? { nil }
}

extension Module where Self: AnyObject {
  public var moduleIdentity: ObjectIdentifier? { ObjectIdentifier(self) }
}

/// A module of one tensor.
public typealias TensorModule = Module<SymbolicTensor, SymbolicTensor>

/// Something a module holds.
public struct ModulePart {
  /// What a part is.
  public enum Content {
    /// A weight or buffer, named by the part's path in the graph and in state dictionaries.
    case parameter(ModuleParameter)
    /// A module inside, whose own parts are found under this one's name.
    case module(any Module)
  }
  /// A property's name, or `layers.0` for a member of an array.
  public let name: String
  /// The parameter or module held under the name.
  public let content: Content

  /// A parameter that the module holds.
  public init(_ name: String, _ parameter: ModuleParameter) {
    self.name = name
    content = .parameter(parameter)
  }

  /// A module that the module holds.
  public init(_ name: String, _ module: any Module) {
    self.name = name
    content = .module(module)
  }
}

/// A module that holds neither parameters nor modules, whose properties need not be looked through.
public protocol StatelessModule: Module {}

extension StatelessModule {
  public var parts: [ModulePart] { [] }
}

extension [ModulePart] {
  /// Parameters by name, without those that are `nil`. Said rather than found by reflection, which is slow.
  static func parameters(_ named: (name: String, parameter: ModuleParameter?)...) -> [ModulePart] {
    named.compactMap { entry in entry.parameter.map { ModulePart(entry.name, $0) } }
  }
}

extension Module {
  public var parts: [ModulePart] { ModulePart.found(in: self) }

  /// Applies the module. The call's line is what calls inside report that cannot know their own.
  public func callAsFunction(_ input: Input, fileID: String = #fileID, line: Int = #line) -> Output {
    guard let session = input.tensors.first?.session else { return forward(input) }
    return session.call(self, input, at: .init(file: fileID, line: line))
  }
}

extension Module {
  /// Applies a module of several inputs: `model(x, mask)` for one whose `forward` takes a `Tuple`.
  public func callAsFunction<each Member: TensorGroup>(
    _ inputs: repeat each Member, fileID: String = #fileID, line: Int = #line
  ) -> Output where Input == Tuple<repeat each Member> {
    callAsFunction(Tuple(repeat each inputs), fileID: fileID, line: line)
  }
}

extension TraceSession {
  /// - Parameter path: where the module is, if the caller knows.
  func call<M: Module>(_ module: M, _ input: M.Input, path: String? = nil, at site: CallSite) -> M.Output {
    move(to: site)
    let path = path ?? paths.path(of: module) ?? modulePath
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
    var made: M.Output?
    let results = callWithRegions(
      .call, operands, arguments: [input.tensors.map(\.type)], at: site, name: path,
      resultCount: { $0[0] },
      body: { _, arguments in
        guard let inner = input.replacingTensors(arguments) else { return [] }
        let output = self.enter(module, inner, path, at: site)
        made = output
        return output.tensors.map(\.symbolicOperand)
      })
    return results.flatMap { made?.replacingTensors($0) }
  }
}

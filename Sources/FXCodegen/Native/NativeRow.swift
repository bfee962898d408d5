import FXCore

/// How the native targets write the calls of one operator.
struct NativeRow: Sendable {
  enum Form: Sendable {
    /// An expression in the elements of the operands at one place, which broadcast. Chains of such calls become one loop.
    case expression(@Sendable (NativeCall, [String]) throws -> String)
    /// The result is the first operand's memory, seen in another shape.
    case view
    /// Kernels or functions of the library.
    case kernel(@Sendable (NativeCall) throws -> Void)
  }
  let form: Form
  /// Operands that say sizes and axes only: the code does not read them.
  let sizes: Set<Int>

  static func expression(sizes: Set<Int> = [], _ body: @escaping @Sendable (NativeCall, [String]) throws -> String) -> NativeRow {
    NativeRow(form: .expression(body), sizes: sizes)
  }
  static func view(sizes: Set<Int> = []) -> NativeRow { NativeRow(form: .view, sizes: sizes) }
  static func kernel(sizes: Set<Int> = [], _ body: @escaping @Sendable (NativeCall) throws -> Void) -> NativeRow {
    NativeRow(form: .kernel(body), sizes: sizes)
  }

  var isExpression: Bool { if case .expression = form { true } else { false } }
}

/// The rows of all operators that the native targets write themselves.
struct NativeOperators: OperatorRows {
  var rows: [Operator: NativeRow] = [:]

  /// Operators whose calls own regions; `NativeLowering` writes them.
  static let controlFlow: Set<Operator> = [.cond, .whileLoop, .loop, .scan]

  static let standard: NativeOperators = {
    var table = NativeOperators()
    table.addElementwise()
    table.addComparison()
    table.addActivation()
    table.addReduction()
    table.addLinearAlgebra()
    table.addConvolution()
    table.addPooling()
    table.addReshaping()
    table.addIndexing()
    table.addScattering()
    table.addImage()
    table.addQuantization()
    return table
  }()
}

/// What a row sees of a call, and writes to.
struct NativeCall {
  let node: Node
  let lowering: NativeLowering

  subscript<Value>(key: AttributeKey<Value>) -> Value { node[key] }

  /// Whether an optional operand is there.
  func has(_ operand: Int) -> Bool { !node.operand(operand).isNone }

  /// The element type of an operand; of a literal that of operands of the same type variable.
  func elementType(_ operand: Int) -> ElementType { lowering.elementType(node, operand) }

  func resultType(_ index: Int = 0) -> ElementType {
    lowering.graph.type(of: .value(node.results[index])).elementType ?? .float32
  }

  /// - Throws: `NativeRefusal` if a size is not known.
  func shape(_ operand: Int) throws -> [Int] { try lowering.shape(node.operand(operand)) }

  func resultShape(_ index: Int = 0) throws -> [Int] { try lowering.shape(.value(node.results[index])) }

  /// Whether a result is there that anything may use.
  func hasResult(_ index: Int) -> Bool { index < node.results.count }

  /// The elements of an integer operand that must be known when code is generated.
  /// - Throws: `NativeRefusal` if they are not.
  func integers(_ operand: Int) throws -> [Int] {
    guard let integers = lowering.integers(node.operand(operand)) else {
      let name = node.op.schema?.operand(operand)?.name ?? "operand \(operand)"
      throw NativeRefusal(reason: "its operand '\(name)' must be a constant")
    }
    return integers
  }

  /// The number that an operand is, if it is one and known.
  func constant(_ operand: Int) -> Double? {
    switch node.operand(operand) {
    case .literal(.float(let x)): x
    case .literal(.int(let x)): Double(x)
    case .literal(.bool(let x)): x ? 1 : 0
    default:
      lowering.graph.tensor(of: node.operand(operand)).flatMap { $0.elementCount == 1 ? try? $0.numbers().doubles[0] : nil }
    }
  }

  /// An axis counted from the start.
  /// - Throws: `NativeRefusal` if there is no such axis.
  func axis(_ axis: Int, rank: Int) throws -> Int {
    guard axis >= -rank, axis < rank else { throw NativeRefusal(reason: "there is no axis \(axis) in rank \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  // MARK: - Writing

  /// A buffer that a kernel is given.
  enum Argument {
    case operand(Int)
    case result(Int)
    case buffer(Int, isWritten: Bool)
  }

  /// Adds a kernel and launches it. Parameters are called as given; sizes of axes may not be 0, in which case nothing runs.
  func kernel(
    _ arguments: [(String, Argument)], axes: [NativeProgram.Kernel.Axis], usesStatus: Bool = false, vectorizable: Bool = false,
    suffix: String = "", _ body: [String]
  ) throws {
    var parameters: [NativeProgram.Kernel.Parameter] = []
    var buffers: [Int] = []
    for (name, argument) in arguments {
      let (buffer, isWritten) = try self.buffer(argument)
      parameters.append(.init(name: name, elementType: lowering.program.buffers[buffer].elementType, isWritten: isWritten))
      buffers.append(buffer)
    }
    let kernel = NativeProgram.Kernel(
      name: node.op.name + suffix, summary: lowering.summary(node), parameters: parameters, axes: axes, body: body,
      usesStatus: usesStatus, isVectorizable: vectorizable)
    lowering.launch(kernel, buffers, comment: lowering.comment(node))
  }

  /// Calls a function of the target's library.
  func library(
    _ name: String, types: [String], reads: [Int], writes: [Int], _ numbers: [any CustomStringConvertible]
  ) {
    lowering.append(
      .library(
        name, types: types, reads: reads, writes: writes, numbers: numbers.map(\.description),
        comment: lowering.comment(node)))
  }

  func buffer(_ argument: Argument) throws -> (index: Int, isWritten: Bool) {
    switch argument {
    case .operand(let index): (try lowering.slot(node, index).buffer, false)
    case .result(let index): (try lowering.resultSlot(node.results[index]).buffer, true)
    case .buffer(let index, let isWritten): (index, isWritten)
    }
  }

  func operandBuffer(_ index: Int) throws -> Int { try buffer(.operand(index)).index }
  func resultBuffer(_ index: Int = 0) throws -> Int { try buffer(.result(index)).index }
}

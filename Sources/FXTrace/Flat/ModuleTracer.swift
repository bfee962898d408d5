import FXCore
import FXShapes

/// Builds a graph call by call, with values named as they come: `node_0`, `node_1`, …
///
/// ```swift
/// var tracer = ModuleTracer()
/// try tracer.addInput("x", .tensor(.float32, ["batch", 784]))
/// try tracer.addCall("linear", ["x"], attributes: ["out_features": 10])
/// try tracer.addCall("relu", ["node_0"])
/// try tracer.addOutput("node_1")
/// let graph = try tracer.finalize()
/// ```
///
/// Types are inferred at each call as far as those of the inputs are known, so that a mistake is thrown by the call that
/// made it. Weights that a call leaves out are declared as unbound parameters: see `ParameterDeclarations`.
public struct ModuleTracer {
  /// Where calls find operators by name and alias.
  public var operators: OperatorTable
  /// Which operands are declared as parameters where a call leaves them out.
  public var declarations: ParameterDeclarations
  /// What infers the types of results, call by call and, for regions, in `finalize`.
  public var inference: ShapeInference

  var graph: Graph
  private var memory = InferenceMemory()
  /// Names of values that moved into a region, and of the node that owns it.
  var outlined: [String: String] = [:]

  /// A tracer of an empty graph called `name`; the tables are the standard ones unless others are given.
  public init(
    name: String = "main", operators: OperatorTable = .standard, declarations: ParameterDeclarations = .standard,
    inference: ShapeInference = ShapeInference()
  ) {
    graph = Graph(name: name)
    self.operators = operators
    self.declarations = declarations
    self.inference = inference
  }

  // MARK: Inputs and outputs

  /// Declares an input.
  /// - Parameter type: what is known of it: `.tensor(.float32, ["batch", 784])`, or nothing.
  /// - Throws: `TraceError` if the name is taken.
  @discardableResult
  public mutating func addInput(
    _ name: String, _ type: ValueType = .unknown, fileID: String = #fileID, line: Int = #line
  ) throws -> TracedValue {
    do {
      if graph.parameter(named: name) != nil { throw GraphError.duplicateName(name) }
      return traced(try graph.addInput(name, type))
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: "addInput", location: Location(file: fileID, line: line))
    }
  }

  /// Adds a weight that calls refer to by name.
  /// - Throws: `TraceError` if the name is taken.
  @discardableResult
  public mutating func addParameter(
    _ name: String, _ tensor: Tensor, role: Parameter.Role = .weight, fileID: String = #fileID, line: Int = #line
  ) throws -> ParameterID {
    do {
      if graph.value(named: name) != nil { throw GraphError.duplicateName(name) }
      return try graph.addParameter(name, tensor, role: role)
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: "addParameter", location: Location(file: fileID, line: line))
    }
  }

  /// Declares a weight that calls refer to by name and that is bound later, such as from a file.
  /// - Throws: `TraceError` if the name is taken.
  @discardableResult
  public mutating func addGetAttr(
    _ name: String, _ type: TensorType, role: Parameter.Role = .weight, fileID: String = #fileID, line: Int = #line
  ) throws -> ParameterID {
    do {
      if graph.value(named: name) != nil { throw GraphError.duplicateName(name) }
      return try graph.addParameter(name, unbound: type, role: role)
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: "addGetAttr", location: Location(file: fileID, line: line))
    }
  }

  /// Says what the graph returns; called several times, it keeps order and names.
  /// - Parameter name: what the output is called if not as its value is.
  /// - Throws: `TraceError` for an unknown value or a name that another output has.
  public mutating func addOutput(
    _ operand: any TracerOperand, name: String? = nil, fileID: String = #fileID, line: Int = #line
  ) throws {
    let location = Location(file: fileID, line: line)
    let operand = try resolve(operand, op: "addOutput", location)
    do {
      try graph.addOutput(operand, name: name)
    } catch {
      throw TraceError(.graph(error), op: "addOutput", location: location)
    }
  }

  /// The finished graph, with the types of regions filled in.
  /// - Throws: `TraceError` if a region's types do not fit.
  public func finalize() throws -> Graph {
    var finished = graph
    // Regions are typed once all of them are there; a body without regions was typed call by call.
    if graph.allNodes.count != graph.bodyNodes.count {
      do {
        try inference.run(&finished)
      } catch let error as ShapeInferenceError {
        throw TraceError(error)
      }
    }
    return finished
  }

  // MARK: Calls

  /// Calls an operator and names the result, by default `node_N`.
  /// - Parameters:
  ///   - op: an operator's name or alias, such as `relu` or `gt`.
  ///   - operands: names, values and numbers in the operator's order: `["x", 0]`.
  ///   - attributes: the operator's, and widths of weights that the call declares: see `ParameterDeclarations`.
  /// - Returns: the first result; further ones are called `node_N.1`, `node_N.2`, ….
  /// - Throws: `TraceError` for unknown names, with those that look alike; operands or attributes that do not fit.
  @discardableResult
  public mutating func addCall(
    _ op: String, _ operands: [any TracerOperand] = [], attributes: Attributes = [:], name: String? = nil,
    fileID: String = #fileID, line: Int = #line
  ) throws -> TracedValue {
    let results = try call(op, operands, attributes, resultCount: nil, name: name, Location(file: fileID, line: line))
    guard let first = results.first else {
      throw TraceError(.invalid("the call has no result"), op: op, location: Location(file: fileID, line: line))
    }
    return first
  }

  /// Calls an operator with several results: see `addCall(_:_:attributes:name:)`.
  /// - Parameter resultCount: how many; operators such as `split` have as many as are asked for.
  @discardableResult
  public mutating func addCall(
    _ op: String, _ operands: [any TracerOperand], attributes: Attributes = [:], resultCount: Int,
    fileID: String = #fileID, line: Int = #line
  ) throws -> [TracedValue] {
    try call(op, operands, attributes, resultCount: resultCount, name: nil, Location(file: fileID, line: line))
  }

  private mutating func call(
    _ name: String, _ operands: [any TracerOperand], _ attributes: Attributes, resultCount: Int?, name label: String?,
    _ location: Location
  ) throws -> [TracedValue] {
    let op: Operator
    do {
      op = try operators.find(name)
    } catch {
      throw TraceError(.graph(error), location: location)
    }
    let given = try operands.map { try resolve($0, op: name, location) }
    do {
      var declaration = Declaration(declarations[op], op, given: given.count, attributes)
      let least = op.schema?.resultCount.lowerBound ?? 1
      let node = try graph.append(
        op, given + Array(repeating: .none, count: declaration.parameters.count), attributes: declaration.attributes,
        results: Array(repeating: .unknown, count: resultCount ?? max(1, least)), location: location)
      do {
        try declare(&declaration, of: node)
        if let label, let result = try graph[node].results.first { try graph.setName(label, of: result) }
        return try infer(node)
      } catch {
        // The call is refused as a whole.
        try graph.erase(node)
        if declaration.isMade { graph.removeUnusedParameters() }
        throw error
      }
    } catch let error as GraphError {
      throw TraceError(.graph(error), op: op.description, operands: given.map { describe($0) }, location: location)
    } catch let error as ShapeInferenceError {
      throw TraceError(error, op: name)
    }
  }

  /// Fills in the types of a node's results.
  mutating func infer(_ node: NodeID) throws -> [TracedValue] {
    try inference.infer(node, in: &graph, memory: &memory).map { traced($0) }
  }

  /// Adds the unbound parameters that the call leaves out.
  private mutating func declare(_ declaration: inout Declaration, of node: NodeID) throws {
    guard !declaration.parameters.isEmpty else { return }
    declaration.isMade = true
    let prefix = graph.name(of: node)
    let element = try graph[node].operands.first.flatMap { graph.type(of: $0).elementType } ?? .float32
    for parameter in declaration.parameters {
      let context = DeclarationContext(
        attributes: try graph[node].attributes, widths: declaration.widths,
        operandTypes: try graph[node].operands.map { graph.type(of: $0) }, isFinal: false)
      let type = TensorType(element.isFloatingPoint ? element : .float32, parameter.shape(context))
      let id = try graph.addParameter("\(prefix).\(parameter.name)", unbound: type, role: parameter.role)
      try graph.setOperand(parameter.operand, of: node, to: .parameter(id))
    }
  }

  // MARK: Operands

  /// The operand meant by a name, value or number.
  func resolve(_ operand: any TracerOperand, op: String, _ location: Location) throws -> Operand {
    switch operand.tracerOperand {
    case .none: return .none
    case .literal(let literal): return .literal(literal)
    case .value(let value):
      // An id of another tracer's may name a value here too; its name tells.
      if graph.contains(value.id), (try? graph.region(of: value.id)) == graph.body, graph.name(of: value.id) == value.name {
        return .value(value.id)
      }
      throw TraceError(missing(value.name), op: op, location: location)
    case .name(let name):
      if let value = graph.value(named: name) { return .value(value) }
      if let parameter = graph.parameter(named: name) { return .parameter(parameter) }
      throw TraceError(missing(name), op: op, location: location)
    }
  }

  private func missing(_ name: String) -> TraceError.Reason {
    if let owner = outlined[name] { return .outlined(name, into: owner) }
    let suggestions = (graph.valueNames() + graph.parameterIDs.compactMap { try? graph[$0].name }).nearest(to: name)
    let isNumbered = name.hasPrefix("node_") && Int(name.dropFirst(5)) != nil
    return isNumbered
      ? .notDefinedYet(name, suggestions: suggestions) : .graph(.unknownName(name, suggestions: suggestions))
  }

  func traced(_ value: ValueID) -> TracedValue {
    TracedValue(name: graph.name(of: value), type: graph.type(of: .value(value)), id: value)
  }

  func describe(_ operand: Operand) -> String {
    operand.literal?.description ?? (operand.isNone ? "none" : graph.type(of: operand).description)
  }
}

extension TraceError {
  init(_ error: ShapeInferenceError, op: String? = nil) {
    self.init(.shape(error.reason), op: op ?? error.op, operands: error.operandTypes, location: error.location)
  }
}

/// What one call leaves to be declared.
private struct Declaration {
  let attributes: Attributes
  let parameters: [ParameterDeclaration]
  var widths: [String: Int] = [:]
  var isMade = false

  /// - Parameter given: how many operands the call has. Weights are declared only if a required one is left out.
  init(_ entry: ParameterDeclarations.Entry?, _ op: Operator, given: Int, _ attributes: Attributes) {
    guard let entry, let schema = op.schema, given < schema.operandCount.lowerBound,
      entry.parameters.first.map({ $0.operand <= given }) == true
    else {
      self.attributes = attributes
      parameters = []
      return
    }
    var rest = attributes
    var left = entry.parameters.filter { $0.operand >= given }
    for name in entry.widths {
      guard case .int(let width)? = rest[name] else { continue }
      widths[name] = width
      rest[name] = nil
    }
    for parameter in left where parameter.isOptional && rest[parameter.name] == .bool(false) {
      left.removeAll { $0.operand == parameter.operand }
    }
    for parameter in entry.parameters where parameter.isOptional { rest[parameter.name] = nil }
    self.attributes = rest
    parameters = left
  }
}

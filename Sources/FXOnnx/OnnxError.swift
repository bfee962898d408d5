import FXCore

/// Why a file is not a model that we can read, or a graph not one that we can write, and where.
public struct OnnxError: Error, Sendable, Equatable {
  public let problem: Problem
  /// The node in question.
  public var node: Node?
  /// The file in question.
  public var path: String?

  public init(_ problem: Problem, node: Node? = nil, path: String? = nil) {
    self.problem = problem
    self.node = node
    self.path = path
  }

  /// How a message names a node: ONNX does not ask for node names, but every useful node has an output.
  public struct Node: Sendable, Equatable {
    public let opType: String
    public let name: String
    public let output: String
    /// The subgraphs that hold the node, outermost first, such as `if_3.then_branch`.
    public let path: [String]

    public init(opType: String, name: String, output: String, path: [String] = []) {
      self.opType = opType
      self.name = name
      self.output = output
      self.path = path
    }
  }

  /// A fault in the bytes of a message.
  public struct Wire: Sendable, Equatable {
    public enum Fault: Sendable, Equatable {
      case truncated
      case malformed
      case tooDeep(limit: Int)
      case badString
      case duplicateField
      case overBudget(bytes: Int)
      case tooLarge
    }
    public let fault: Fault
    public let offset: Int
    /// Such as `NodeProto.op_type`; empty where the place is not known.
    public let field: String

    public init(fault: Fault, offset: Int, field: String) {
      self.fault = fault
      self.offset = offset
      self.field = field
    }
  }

  /// An operator call that a target cannot express.
  public struct Unmapped: Sendable, Equatable {
    public let op: String
    public let node: String
    public let reason: String

    public init(op: String, node: String, reason: String) {
      self.op = op
      self.node = node
      self.reason = reason
    }
  }

  public enum Problem: Sendable, Equatable {
    case file(FileError)
    case outOfMemory
    case wire(Wire)

    // The model as a whole.
    case noGraph
    /// A node is of a domain that the model imports no operator set of.
    case noOperatorSet(domain: String)
    case operatorSetTooNew(domain: String, version: Int, newest: Int)
    case recursiveFunction(String)
    /// Functions and subgraphs inside each other.
    case scopesTooDeep(limit: Int)
    case badOperatorSet(domain: String, version: Int)
    /// What we wrote into the model's metadata, and somebody has changed.
    case metadata(String, reason: String)
    /// Functions called by functions can make a small file stand for any number of nodes.
    case tooManyNodes(limit: Int)

    // Values.
    case undefinedValue(String)
    case duplicateValue(String)
    /// The nodes need each other's results: the outputs on the cycle.
    case cycle([String])
    case elementType(code: Int, of: String)
    /// A type that says nothing or is of a kind that is not supported.
    case valueType(of: String)
    case dimension(Int, of: String)
    /// More dimensions than a tensor may have.
    case rank(Int, of: String)

    // Tensors.
    case tensor(String, TensorError)
    case tensorText(String)
    case tensorSegment(String)
    case tensorHasNoData(String)
    case sparse(String)
    /// The tensor is dense in a graph, and would take this much memory.
    case sparseTooLarge(String, bytes: Int, limit: Int)
    case externalData(String, ExternalDataFault)

    // Nodes.
    case missingAttribute(String)
    case attributeKind(String, expected: String)
    case attributeValue(String, reason: String)
    case attributeReference(String)
    case missingOperand(String)
    case operandCount(Int, allowed: ClosedRange<Int>)
    case resultCount(Int, allowed: ClosedRange<Int>)
    /// The operator exists, but not with this operator set's version, or not with this combination of options.
    case unsupported(String)
    case graph(GraphError)

    // Writing.
    case unmapped([Unmapped])
    case textHoldsNul(String)
    case nestedTooDeep(limit: Int)
    case modelTooLarge(bytes: Int)
    case operatorSet(version: Int, allowed: ClosedRange<Int>)
  }

  /// What can be wrong with data that a tensor keeps in another file.
  public enum ExternalDataFault: Sendable, Equatable {
    /// The model was read from memory, so that there is no directory to look in.
    case noDirectory
    case noLocation
    /// The path is absolute, has `..`, or leads out of the model's directory by a link.
    case outside(location: String)
    case badNumber(key: String, value: String)
    case range(location: String, offset: Int, length: Int, fileSize: Int)
    case file(FileError)
  }
}

extension OnnxError {
  /// The same error, with the place filled in where it was not known yet.
  func at(node: @autoclosure () -> Node?) -> OnnxError {
    self.node == nil ? OnnxError(problem, node: node(), path: path) : self
  }

  func at(path: String) -> OnnxError {
    self.path == nil ? OnnxError(problem, node: node, path: path) : self
  }
}

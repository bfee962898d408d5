import FXCore

/// Why a file is not a model that we can read, or a graph not one that we can write, and where.
public struct OnnxError: Error, Sendable, Equatable {
  /// What is wrong; `node` and `path` say where.
  public let problem: Problem
  /// The node in question.
  public var node: Node?
  /// The file in question.
  public var path: String?

  /// An error; whoever knows the place better fills in node and file.
  public init(_ problem: Problem, node: Node? = nil, path: String? = nil) {
    self.problem = problem
    self.node = node
    self.path = path
  }

  /// How a message names a node: ONNX does not ask for node names, but every useful node has an output.
  public struct Node: Sendable, Equatable {
    /// ONNX's name of the operator, such as `Conv`; empty if the node says none. When writing, the operator of ours.
    public let opType: String
    /// The node's name; often empty in models, as ONNX does not ask for it.
    public let name: String
    /// The name of the node's first output, by which a node without a name is known; empty when writing.
    public let output: String
    /// The subgraphs that hold the node, outermost first, such as `if_3.then_branch`.
    public let path: [String]

    /// A node by what the model says of it; `path` is empty in the body of the graph.
    public init(opType: String, name: String, output: String, path: [String] = []) {
      self.opType = opType
      self.name = name
      self.output = output
      self.path = path
    }
  }

  /// A fault in the bytes of a message.
  public struct Wire: Sendable, Equatable {
    /// What is wrong with the bytes.
    public enum Fault: Sendable, Equatable {
      /// The bytes end inside a field: the file was cut off, or is no model.
      case truncated
      /// The bytes are no message: the file is no model, or damaged.
      case malformed
      /// Messages nest deeper than `limit` levels, 100 by default.
      case tooDeep(limit: Int)
      /// A text is not UTF-8, or holds a NUL.
      case badString
      /// A field that may occur once occurs twice in one message.
      case duplicateField
      /// The unpacked messages take more than `bytes`: see `memoryLimit` of `OnnxDocument`.
      case overBudget(bytes: Int)
      /// More than 2 GiB in one message, which protobuf does not allow. Weights of such models are external data.
      case tooLarge
    }
    /// What is wrong.
    public let fault: Fault
    /// The byte of the input at which it was noticed; 0 if the place is not known.
    public let offset: Int
    /// Such as `NodeProto.op_type`; empty where the place is not known.
    public let field: String

    /// A fault at a place.
    public init(fault: Fault, offset: Int, field: String) {
      self.fault = fault
      self.offset = offset
      self.field = field
    }
  }

  /// An operator call that a target cannot express.
  public struct Unmapped: Sendable, Equatable {
    /// The operator of ours.
    public let op: String
    /// What the node is called in the graph.
    public let node: String
    /// Why there is no way to write it, such as an operator set that is too old.
    public let reason: String

    /// A call and why it cannot be written.
    public init(op: String, node: String, reason: String) {
      self.op = op
      self.node = node
      self.reason = reason
    }
  }

  /// The kinds of errors. Texts are names in the model: of a value, tensor, attribute, operand, function or key.
  public enum Problem: Sendable, Equatable {
    /// The model's file cannot be opened or mapped.
    case file(FileError)
    /// Memory for messages could not be had.
    case outOfMemory
    /// The bytes are no protobuf message, or one that takes too much.
    case wire(Wire)

    // The model as a whole.
    /// The model has no graph: it is another kind of message, or empty.
    case noGraph
    /// A node is of a domain that the model imports no operator set of.
    case noOperatorSet(domain: String)
    /// The model is of operator set `version`, later than `newest`, the last of the domain that the rows know.
    case operatorSetTooNew(domain: String, version: Int, newest: Int)
    /// The function of this name calls itself, directly or through others.
    case recursiveFunction(String)
    /// Functions and subgraphs inside each other.
    case scopesTooDeep(limit: Int)
    /// The model imports an operator set below 1.
    case badOperatorSet(domain: String, version: Int)
    /// What we wrote into the model's metadata, and somebody has changed.
    case metadata(String, reason: String)
    /// Functions called by functions can make a small file stand for any number of nodes.
    case tooManyNodes(limit: Int)

    // Values.
    /// A node or an output uses a value of this name, which nothing defines.
    case undefinedValue(String)
    /// Two inputs, initializers or outputs of nodes in one graph have this name.
    case duplicateValue(String)
    /// The nodes need each other's results: the outputs on the cycle.
    case cycle([String])
    /// The value, tensor or attribute called `of` has the element type `code`, which ONNX or this framework does not know.
    case elementType(code: Int, of: String)
    /// A type that says nothing or is of a kind that is not supported.
    case valueType(of: String)
    /// The value called `of` has a dimension of this negative size.
    case dimension(Int, of: String)
    /// More dimensions than a tensor may have.
    case rank(Int, of: String)

    // Tensors.
    /// The tensor's elements do not make a tensor of its type and shape.
    case tensor(String, TensorError)
    /// A text in the tensor of this name is not UTF-8.
    case tensorText(String)
    /// The tensor of this name is stored in segments, which are not supported.
    case tensorSegment(String)
    /// The tensor of this name lacks its elements; sparse ones their values or indices.
    case tensorHasNoData(String)
    /// The indices of the sparse tensor of this name do not fit its shape.
    case sparse(String)
    /// The tensor is dense in a graph, and would take this much memory.
    case sparseTooLarge(String, bytes: Int, limit: Int)
    /// The elements of the tensor of this name lie in another file and cannot be had.
    case externalData(String, ExternalDataFault)

    // Nodes.
    /// The node lacks the attribute of this name, or the attribute is empty.
    case missingAttribute(String)
    /// The attribute of this name is not what `expected` says, such as `an integer`.
    case attributeKind(String, expected: String)
    /// The attribute has a value that is not allowed; `reason` goes on from its name, such as `is not UTF-8`.
    case attributeValue(String, reason: String)
    /// An attribute refers to one of this name of the enclosing function's call, and no function encloses the node.
    case attributeReference(String)
    /// The operand of this name, which the schema requires, is left out.
    case missingOperand(String)
    /// The node has this many inputs, where `allowed` are allowed.
    case operandCount(Int, allowed: ClosedRange<Int>)
    /// The node has this many outputs, where `allowed` are allowed.
    case resultCount(Int, allowed: ClosedRange<Int>)
    /// The operator exists, but not with this operator set's version, or not with this combination of options.
    case unsupported(String)
    /// The graph refuses what the model says, or what is asked of it.
    case graph(GraphError)

    // Writing.
    /// ONNX cannot express these calls, all that there are.
    case unmapped([Unmapped])
    /// The text holds a NUL, which ONNX does not allow.
    case textHoldsNul(String)
    /// Regions nest deeper than can be written: `limit` levels, of regions or of protobuf's messages.
    case nestedTooDeep(limit: Int)
    /// The model takes this many bytes without external data, more than protobuf's 2 GiB.
    case modelTooLarge(bytes: Int)
    /// Operator set `version` was asked for, where `allowed` can be written.
    case operatorSet(version: Int, allowed: ClosedRange<Int>)
  }

  /// What can be wrong with data that a tensor keeps in another file.
  public enum ExternalDataFault: Sendable, Equatable {
    /// The model was read from memory, so that there is no directory to look in.
    case noDirectory
    /// The tensor's entries lack `location`, the path of its file.
    case noLocation
    /// The path is absolute, has `..`, or leads out of the model's directory by a link.
    case outside(location: String)
    /// The entry `key`, which is `offset` or `length`, holds `value`, which is no number of bytes.
    case badNumber(key: String, value: String)
    /// Bytes from `offset` on, `length` of them, reach beyond the end of the file, which has `fileSize`.
    case range(location: String, offset: Int, length: Int, fileSize: Int)
    /// The file cannot be opened or mapped.
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

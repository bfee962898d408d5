import FXCore

/// The ONNX side of an operator: its name, and how its forms of earlier operator sets differ from the newest one, which is
/// also ours.
///
/// Most forms are a name. The rest list attributes that later versions made operands, attributes that came later, and
/// functions for what no list can say.
public struct OnnxForm: Sendable {
  /// Makes calls of ours of one ONNX node and returns what stands for its outputs.
  public typealias Import = @Sendable (inout OnnxImportCall) throws(OnnxError) -> [Operand]
  /// Changes operands and attributes of an earlier form to the newest, before the call is made.
  public typealias Normalize = @Sendable (inout OnnxImportCall) throws(OnnxError) -> Void
  /// Writes ONNX nodes for one call of ours.
  public typealias Export = @Sendable (inout OnnxExportCall) throws(OnnxError) -> Void
  /// Changes the operands' names and the attributes of a node about to be written.
  public typealias Adjust =
    @Sendable (_ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes) throws(OnnxError) -> Void

  /// ONNX's name of the operator, such as `Conv`.
  public let opType: String
  /// Empty for ONNX's own operators, `ai.onnx` being another name of that domain.
  public let domain: String
  /// The first operator set of its domain in which the operator can be written.
  public var since: Int
  /// The last one, if later ones deprecate the operator.
  public var last: Int?
  /// ONNX's attribute names by ours, where they differ.
  public var names: [String: String]
  /// Attributes of earlier operator sets that are operands of later ones: made operands on import, attributes again on export.
  public var former: [FormerAttribute]
  /// The operator set in which an attribute appeared, by ONNX's name, where that is later than `since`.
  public var later: [String: Int]
  /// The operator set in which an operand appeared, by position.
  public var laterOperands: [Int: Int]
  /// Attributes of the ONNX operator that say nothing to us.
  public var ignored: Set<String>
  /// Brings a node of an earlier operator set into the newest form on import, after `former` has been applied.
  public var normalize: Normalize?
  /// Makes the calls of a node on import, in place of the one that the row describes.
  public var importing: Import?
  /// Changes operands and attributes on export, last of all before the node is written.
  public var adjust: Adjust?
  /// Writes the nodes of a call on export, in place of the one that the row describes.
  public var exporting: Export?

  /// A form whose earlier versions differ from the newest in what is given; in nothing, if only a name is.
  public init(
    _ opType: String, domain: String = "", since: Int = 1, last: Int? = nil, names: [String: String] = [:],
    former: [FormerAttribute] = [],
    later: [String: Int] = [:], laterOperands: [Int: Int] = [:], ignored: Set<String> = [], normalize: Normalize? = nil,
    importing: Import? = nil, adjust: Adjust? = nil, exporting: Export? = nil
  ) {
    self.opType = opType
    self.domain = GraphReader.normalized(domain)
    self.since = since
    self.last = last
    self.names = names
    self.former = former
    self.later = later
    self.laterOperands = laterOperands
    self.ignored = ignored
    self.normalize = normalize
    self.importing = importing
    self.adjust = adjust
    self.exporting = exporting
  }

  /// Our name of an attribute of ONNX's.
  func ours(_ name: String) -> String { names.first { $0.value == name }?.key ?? name }
}

/// An attribute of earlier versions of an operator which is an operand of the later.
public struct FormerAttribute: Sendable {
  /// What the attribute holds, and what the operand is that it became.
  public enum Form: Sendable {
    /// A list of integers: an `int64` vector.
    case indices
    /// An integer: an `int64` vector of one element.
    case index
    /// An integer: an `int64` scalar.
    case integer
    /// A list of numbers: a `float32` vector.
    case floats
    /// A number: a scalar of the first operand's element type.
    case scalar
  }
  /// ONNX's name of the attribute.
  public let name: String
  /// The operand's position.
  public let operand: Int
  /// The first operator set in which it is an operand.
  public let before: Int
  /// What the attribute holds.
  public let form: Form

  /// The attribute `name` of operator sets before `before`, operand `operand` from then on; a list of integers unless said.
  public init(_ name: String, operand: Int, before: Int, _ form: Form = .indices) {
    self.name = name
    self.operand = operand
    self.before = before
    self.form = form
  }
}

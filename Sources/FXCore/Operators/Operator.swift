/// What a node calls: a name, and for a registered operator its schema.
///
/// Operators are open. A graph may hold operators that nobody registered (a vendor's, read from ONNX): they have no
/// schema, print, serialize and export, and cannot run. Two operators are equal if domain, name and version are.
public final class Operator: Sendable {
  /// The operator's name within its domain, such as `softmax`.
  public let name: String
  /// Empty for operators of this framework, else the vendor's domain.
  public let domain: String
  /// Which version of its semantics, from 1; operators of other versions are other operators.
  public let version: Int
  /// `nil` if the operator is not registered.
  public let schema: OperatorSchema?
  private let hash: Int

  /// An operator with a schema.
  ///
  /// Operand and result specifications are written as literals: `"x"`, `"bias?"` if it may be left out,
  /// `"inputs..."` for any number, and `"shape: I"` if the element type is another variable than `T`.
  /// - Parameters:
  ///   - types: what each type variable may stand for; a variable that is not listed may be any type.
  ///   - regions: the names of the regions that a node owns, in order.
  public init(
    _ name: String, domain: String = "", version: Int = 1, _ family: OperatorFamily, _ summary: String,
    operands: [OperandSpecification], results: [OperandSpecification] = ["y"],
    types: [String: ElementTypes] = [:], attributes: [AttributeSpecification] = [], regions: [String] = [],
    traits: OperatorTraits = [], effect: OperatorEffect = .pure, aliases: [String] = [],
    onnx: String? = nil, torch: String? = nil
  ) {
    self.name = name
    self.domain = domain
    self.version = version
    hash = Operator.hash(domain, name, version)
    schema = OperatorSchema(
      family: family, summary: summary, operands: operands, results: results, typeVariables: types,
      attributes: attributes.sorted { $0.name < $1.name }, regions: regions, traits: traits, effect: effect,
      aliases: aliases, onnxName: onnx, torchName: torch)
  }

  /// An operator that is known by name only.
  public init(unregistered name: String, domain: String, version: Int = 1) {
    self.name = name
    self.domain = domain
    self.version = version
    schema = nil
    hash = Operator.hash(domain, name, version)
  }

  private static func hash(_ domain: String, _ name: String, _ version: Int) -> Int {
    var hasher = Hasher()
    hasher.combine(domain)
    hasher.combine(name)
    hasher.combine(version)
    return hasher.finalize()
  }

  /// Whether the operator has a schema: others can be kept and exported, not checked or run.
  public var isRegistered: Bool { schema != nil }
  /// Whether a call may be dropped, merged or moved: registered and without effects.
  public var isPure: Bool { schema?.effect == .pure }
  /// Whether the schema names all of `traits`; `false` if the operator is not registered.
  public func has(_ traits: OperatorTraits) -> Bool { schema?.traits.isSuperset(of: traits) ?? false }
}

extension Operator: Hashable {
  public static func == (a: Operator, b: Operator) -> Bool {
    a === b || (a.hash == b.hash && a.name == b.name && a.domain == b.domain && a.version == b.version)
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension Operator: CustomStringConvertible {
  /// `softmax`, `com.vendor::Fancy`
  public var description: String { domain.isEmpty ? name : "\(domain)::\(name)" }
}

/// The groups that operators are declared in, one file per layer each.
public enum OperatorFamily: String, Sendable, CaseIterable {
  /// Arithmetic and functions of single elements, with broadcasting: `add`, `exp`, `where`, `cast`.
  case elementwise
  /// Comparisons, logic and operations on bits: `greater`, `and`, `is_nan`, `bit_shift`.
  case comparison
  /// `relu`, `gelu`, `softmax` and their like.
  case activation
  /// Operators that combine elements along axes: `reduce_sum`, `argmax`, `cumsum`.
  case reduction
  /// Products of matrices: `matmul`, `gemm`, `linear`, `einsum`, and fused and quantized-weight forms.
  case linearAlgebra
  /// `conv`, its transposed, deformable and fused forms.
  case convolution
  /// Maxima, means and norms over windows, and over all positions.
  case pooling
  /// `batch_normalization`, `layer_normalization` and their like.
  case normalization
  /// Operators that arrange elements anew: `reshape`, `transpose`, `concat`, `slice`, `pad`.
  case reshaping
  /// Operators that choose and place elements by index: `gather`, `scatter_nd`, `topk`, `one_hot`.
  case indexing
  /// `attention` in its forms, and rotary embedding.
  case attention
  /// `lstm`, `gru`, `rnn`.
  case recurrent
  /// Calls that own regions (`cond`, `while_loop`, `loop`, `scan`, `call`), and the end of a region.
  case controlFlow
  /// `dropout` and drawing of random numbers.
  case random
  /// Conversion to and from quantized numbers, and products of them.
  case quantization
  /// Operators on sequences and optionals.
  case sequence
  /// Operators on tensors of strings.
  case text
  /// Resizing and sampling of images, boxes of detectors, decoding of files.
  case image
  /// Fourier transforms, windows and mel weights.
  case signal
  /// What training makes small: `nll_loss`, `softmax_cross_entropy_loss`.
  case loss
  /// Optimizer steps, and ONNX's `Gradient`.
  case training
  /// Classical models of ONNX's domain `ai.onnx.ml`: decision trees, linear models, feature mappings.
  case trees
  /// Calls that ranks make together: `all_reduce`, `send`, `barrier`.
  case collective
}

/// What a call does besides computing results from operands.
public enum OperatorEffect: String, Sendable {
  /// Nothing: equal operands give equal results, a call nobody uses may go.
  case pure
  /// Draws random numbers: never folded or merged; may go if nobody uses it.
  case random
  /// Talks to the world: stays where it is.
  case io
  /// Talks to other ranks: stays, in order.
  case collective
}

/// Facts about operators that passes ask for.
public struct OperatorTraits: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The first two operands may be swapped.
  public static let commutative = OperatorTraits(rawValue: 1 << 0)
  /// `f(f(a, b), c) = f(a, f(b, c))` up to rounding.
  public static let associative = OperatorTraits(rawValue: 1 << 1)
  /// Each result element depends on the operands' elements at its (broadcast) position only.
  public static let elementwise = OperatorTraits(rawValue: 1 << 2)
  /// Moves or selects elements; computes none.
  public static let dataMovement = OperatorTraits(rawValue: 1 << 3)
  /// `f(f(x)) = f(x)`.
  public static let idempotent = OperatorTraits(rawValue: 1 << 4)
  /// Part of the core set, which code generators and differentiation must know.
  public static let core = OperatorTraits(rawValue: 1 << 5)
  /// Expressible by core operators; has a decomposition.
  public static let composite = OperatorTraits(rawValue: 1 << 6)
  /// Ends a region; the graph makes these itself.
  public static let terminator = OperatorTraits(rawValue: 1 << 7)
}

/// What a schema says of an operand or result.
public struct OperandSpecification: Sendable, ExpressibleByStringLiteral {
  /// How many operands or results one specification stands for.
  public enum Arity: Sendable {
    /// Exactly one.
    case required
    /// One, or none: `bias?` in a declaration.
    case optional
    /// Any number, none included: `inputs...` in a declaration. The last of a schema's list.
    case variadic
  }
  /// What the operand or result is called in messages and views, such as `bias`.
  public let name: String
  /// Operands and results with the same variable have the same element type.
  public let typeVariable: String
  /// Whether it may be left out, or stands for any number.
  public let arity: Arity

  /// An operand or result; required and of type variable `T` unless said.
  public init(_ name: String, type: String = "T", _ arity: Arity = .required) {
    self.name = name
    self.typeVariable = type
    self.arity = arity
  }

  public init(stringLiteral text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    var name = parts.first.map(String.init) ?? ""
    typeVariable = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "T"
    if name.hasSuffix("...") {
      arity = .variadic
      name.removeLast(3)
    } else if name.hasSuffix("?") {
      arity = .optional
      name.removeLast()
    } else {
      arity = .required
    }
    self.name = name
  }
}

/// What is known of an operator without looking at a call.
public struct OperatorSchema: Sendable {
  /// The group the operator was declared in.
  public let family: OperatorFamily
  /// One line on what it computes, for catalogues and views.
  public let summary: String
  /// What calls take, in order; `operandCount` says how many that may be.
  public let operands: [OperandSpecification]
  /// What calls give, in order; `resultCount` says how many that may be.
  public let results: [OperandSpecification]
  /// The element types that each type variable may stand for; one that is not listed may be any.
  public let typeVariables: [String: ElementTypes]
  /// Sorted by name.
  public let attributes: [AttributeSpecification]
  /// The names of the regions a call owns, in order; empty for most operators.
  public let regions: [String]
  /// What passes may rely on.
  public let traits: OperatorTraits
  /// What a call does besides computing results; passes ask before they drop, merge or move one.
  public let effect: OperatorEffect
  /// Other names that tracers and parsers accept, such as the tutorial's.
  public let aliases: [String]
  /// The ONNX operator it stands for, such as `Softmax` or `com.microsoft::FusedMatMul`; `nil` if there is none.
  public let onnxName: String?
  /// The PyTorch function it stands for, such as `torch.sigmoid`; `nil` if there is none.
  public let torchName: String?
  /// The attributes' defaults: what a node starts with.
  public let defaultAttributes: Attributes

  init(
    family: OperatorFamily, summary: String, operands: [OperandSpecification], results: [OperandSpecification],
    typeVariables: [String: ElementTypes], attributes: [AttributeSpecification], regions: [String],
    traits: OperatorTraits, effect: OperatorEffect, aliases: [String], onnxName: String?, torchName: String?
  ) {
    self.family = family
    self.summary = summary
    self.operands = operands
    self.results = results
    self.typeVariables = typeVariables
    self.attributes = attributes
    self.regions = regions
    self.traits = traits
    self.effect = effect
    self.aliases = aliases
    self.onnxName = onnxName
    self.torchName = torchName
    defaultAttributes = Attributes(attributes.compactMap { spec in spec.defaultValue.map { (spec.name, $0) } })
  }

  /// How many operands a call may have.
  public var operandCount: ClosedRange<Int> { OperatorSchema.count(operands) }
  /// How many results a call may have.
  public var resultCount: ClosedRange<Int> { OperatorSchema.count(results) }

  private static func count(_ specifications: [OperandSpecification]) -> ClosedRange<Int> {
    let least = specifications.lastIndex { $0.arity == .required }.map { $0 + 1 } ?? 0
    return least...(specifications.contains { $0.arity == .variadic } ? Int.max : specifications.count)
  }

  /// The specification of operand `index`; a variadic one covers all from its position on. `nil` beyond the last, and for a
  /// negative index.
  public func operand(_ index: Int) -> OperandSpecification? { OperatorSchema.specification(index, of: operands) }

  /// The specification of result `index`; a variadic one covers all from its position on. `nil` beyond the last, and for a
  /// negative index.
  public func result(_ index: Int) -> OperandSpecification? { OperatorSchema.specification(index, of: results) }

  private static func specification(_ index: Int, of list: [OperandSpecification]) -> OperandSpecification? {
    guard index >= list.count else { return index < 0 ? nil : list[index] }
    return list.last.flatMap { $0.arity == .variadic ? $0 : nil }
  }

  /// What the schema says of the attribute called `name`; `nil` if it has none. O(attributes).
  public func attribute(_ name: String) -> AttributeSpecification? {
    attributes.first { $0.name == name }
  }
}

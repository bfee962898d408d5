/// A graph as JSON holds it: lists of regions and nodes that refer to each other by number, so that nothing is nested
/// deeper than a few levels whatever the graph is. `docs/JSONFormat.md` specifies it.
///
/// Fields that a reader does not know are skipped, fields that say nothing are left out.
struct GraphDocument: Codable {
  var format = FormatName()
  var version = FormatVersion()
  var name: String
  var metadata: [String: String]?
  var operatorSets: [String: Int]?
  var symbols: [Symbol]?
  var constraints: [Constraint]?
  var parameters: [Parameter]?
  /// The first is the graph's body.
  var regions: [Region]

  struct Symbol: Codable {
    var name: String
    var minimum: Int?
    var maximum: Int?
    var divisor: Int?
  }

  struct Constraint: Codable {
    var left: String
    var relation: DimensionConstraint.Relation
    var right: String
  }

  struct Parameter: Codable {
    var name: String
    var role: FXCore.Parameter.Role
    var type: String
    /// Left out if nothing is bound.
    var tensor: TensorData?
  }

  /// The elements of a tensor, in one of three forms.
  struct TensorData: Codable {
    /// With fixed sizes.
    var type: String
    /// The packed bytes in base 64.
    var data: String?
    var strings: [String]?
    /// The parameter whose bytes these are too.
    var shared: String?
  }

  struct Region: Codable {
    var arguments: [Value]
    var nodes: [Node]
    var results: [Result]
  }

  struct Value: Codable {
    /// Numbers the values of the graph in the order in which they are written.
    var id: Int
    var name: String?
    var type: String
  }

  struct Node: Codable {
    var op: String
    var domain: String?
    var version: Int?
    /// `false` if no schema is known.
    var registered: Bool?
    var operands: [Operand]
    var attributes: [String: Attribute]?
    var results: [Value]
    /// The number that results without names are called by.
    var number: UInt32?
    var name: String?
    var location: Location?
    /// Numbers of the regions that the node owns.
    var regions: [Int]?
  }

  struct Location: Codable {
    var file: String
    var line: Int
    var module: String?
  }

  struct Result: Codable {
    var operand: Operand
    var name: String?
  }

  /// One of these, or none for an operand that is left out.
  struct Operand: Codable {
    var value: Int?
    var parameter: String?
    var bool: Bool?
    var int: Int64?
    var float: JSONNumber<Double>?
  }

  /// One of these.
  struct Attribute: Codable {
    var bool: Bool?
    var int: Int?
    var float: JSONNumber<Float>?
    var string: String?
    var ints: [Int]?
    var floats: [JSONNumber<Float>]?
    var strings: [String]?
    var elementType: ElementType?
    var type: String?
    var types: [String]?
    var tensor: TensorData?
    var tensors: [TensorData]?
  }

  /// `"fx.graph"`, and nothing else.
  struct FormatName: Codable {
    static let name = "fx.graph"

    init() {}

    init(from decoder: any Decoder) throws {
      guard try decoder.singleValueContainer().decode(String.self) == FormatName.name else {
        throw FormatError(.json, .notThisFormat)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(FormatName.name)
    }
  }

  /// A version that this build reads.
  struct FormatVersion: Codable {
    static let newest = 1

    init() {}

    init(from decoder: any Decoder) throws {
      let found = try decoder.singleValueContainer().decode(Int.self)
      guard found >= 1, found <= FormatVersion.newest else {
        throw FormatError(.json, .version(found: found, supported: FormatVersion.newest))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(FormatVersion.newest)
    }
  }
}

/// A float: a JSON number, or a string as in the text format where JSON has no number for it.
struct JSONNumber<Value: ExactlyWritten>: Codable {
  let value: Value

  init(_ value: Value) { self.value = value }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let text = try? container.decode(String.self) else {
      value = try container.decode(Value.self)
      return
    }
    var scanner = TextScanner(text)
    value = try Value(in: &scanner)
    guard scanner.isAtEnd else { throw scanner.expected("the end of the number") }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if value.isFinite, value != 0 || value.sign == .plus {
      try container.encode(value)
    } else {
      try container.encode(value.exactText)
    }
  }
}

/// Floats with text that keeps every bit.
protocol ExactlyWritten: BinaryFloatingPoint, Codable, Sendable {
  var exactText: String { get }
  init(in scanner: inout TextScanner) throws(TextError)
}

extension Float: ExactlyWritten {
  init(in scanner: inout TextScanner) throws(TextError) { self = try scanner.number().float(in: &scanner) }
}

extension Double: ExactlyWritten {
  init(in scanner: inout TextScanner) throws(TextError) { self = try scanner.number().double(in: &scanner) }
}

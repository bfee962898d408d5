/// The value of an attribute: a fact about a node that is known when the graph is made.
public enum AttributeValue: Sendable, Equatable {
  case bool(Bool)
  case int(Int)
  /// 32 bits, as in ONNX.
  case float(Float)
  case string(String)
  case ints([Int])
  case floats([Float])
  case strings([String])
  case elementType(ElementType)
  case type(ValueType)
  case types([ValueType])
  case tensor(Tensor)
  case tensors([Tensor])

  public static func == (a: AttributeValue, b: AttributeValue) -> Bool {
    switch (a, b) {
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    case (.string(let x), .string(let y)): x == y
    case (.ints(let x), .ints(let y)): x == y
    case (.floats(let x), .floats(let y)): x.count == y.count && zip(x, y).allSatisfy { $0.bitPattern == $1.bitPattern }
    case (.strings(let x), .strings(let y)): x == y
    case (.elementType(let x), .elementType(let y)): x == y
    case (.type(let x), .type(let y)): x == y
    case (.types(let x), .types(let y)): x == y
    case (.tensor(let x), .tensor(let y)): x == y
    case (.tensors(let x), .tensors(let y)): x == y
    default: false
    }
  }

  /// The kind of value, as schemas and messages name it.
  public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    case bool, int, float, string, ints, floats, strings, elementType, type, types, tensor, tensors
  }

  public var kind: Kind {
    switch self {
    case .bool: .bool
    case .int: .int
    case .float: .float
    case .string: .string
    case .ints: .ints
    case .floats: .floats
    case .strings: .strings
    case .elementType: .elementType
    case .type: .type
    case .types: .types
    case .tensor: .tensor
    case .tensors: .tensors
    }
  }
}

/// A node's attributes: a dictionary sorted by name. Lookup is O(log n).
public struct Attributes: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public let name: String
    public var value: AttributeValue
  }
  public private(set) var entries: [Entry] = []

  public init() {}

  /// The last of equal names wins.
  public init(_ pairs: [(String, AttributeValue)]) {
    for (name, value) in pairs { self[name] = value }
  }

  private func position(of name: String) -> (index: Int, found: Bool) {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return (low, low < entries.count && entries[low].name == name)
  }

  public subscript(name: String) -> AttributeValue? {
    get {
      let (index, found) = position(of: name)
      return found ? entries[index].value : nil
    }
    set {
      let (index, found) = position(of: name)
      switch (newValue, found) {
      case (let value?, true): entries[index].value = value
      case (let value?, false): entries.insert(Entry(name: name, value: value), at: index)
      case (nil, true): entries.remove(at: index)
      case (nil, false): break
      }
    }
  }

  /// The value of a typed key: the attribute, else the key's default, else the type's empty value.
  public subscript<Value>(key: AttributeKey<Value>) -> Value {
    get { self[key.name].flatMap(Value.init(attribute:)) ?? key.fallback }
    set { self[key.name] = newValue.attribute }
  }
}

extension Attributes: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }
  public subscript(position: Int) -> Entry { entries[position] }
}

extension Attributes: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, AttributeValue)...) { self.init(elements) }
}

extension AttributeValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral
{
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Float) { self = .float(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

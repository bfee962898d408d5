import FXCore

/// Tables from labels to labels.
extension ReferenceKernels {
  mutating func addEncoders() {
    self[.labelEncoder] = { context in
      let x = try context.tensor(0)
      let table = try context.prepared { try LabelTable(encoder: context, holding: x.elementType) }
      return [.tensor(try table.values(x))]
    }
    self[.categoryMapper] = { context in
      let x = try context.tensor(0)
      let (integers, strings) = (context[CategoryMapper.integers] ?? [], context[CategoryMapper.strings] ?? [])
      guard integers.count == strings.count else {
        throw KernelError.invalid("\(integers.count) integers and \(strings.count) strings do not pair up")
      }
      let (numbers, texts) = (Tensor(vector: integers), try Tensor([strings.count], strings: strings))
      let (number, text) = (context[LabelEncoder.defaultInteger], context[LabelEncoder.defaultString])
      let table = try context.prepared {
        x.elementType == .string
          ? try LabelTable(keys: texts, values: numbers, fallback: Tensor(vector: [number]))
          : try LabelTable(keys: numbers, values: texts, fallback: Tensor([1], strings: [text]))
      }
      return [.tensor(try table.values(x))]
    }
  }
}

/// Values by key. Of equal keys the last counts; NaN equals NaN.
private struct LabelTable: Sendable {
  private enum Places: Sendable {
    case strings([String: Int])
    case integers([Int64: Int])
    case floats([Double: Int], nan: Int?)
  }
  private let keyType: ElementType
  private let places: Places
  /// The values, and behind them the default.
  private let values: Tensor
  private let defaultPlace: Int

  init(keys: Tensor, values: Tensor, fallback: Tensor) throws {
    guard keys.elementCount == values.elementCount, keys.shape.count <= 1 || keys.elementCount == 0 else {
      throw KernelError.invalid("\(keys.elementCount) keys and \(values.elementCount) values do not pair up")
    }
    guard fallback.elementType == values.elementType, fallback.elementCount == 1 else {
      throw KernelError.invalid("the default is \(fallback.type), not one \(values.elementType.rawValue)")
    }
    self.values = try Tensor.concatenated([values.reshaped([values.elementCount]), fallback.reshaped([1])], axis: 0)
    (keyType, defaultPlace) = (keys.elementType, values.elementCount)
    if let strings = keys.strings {
      places = .strings(Dictionary(strings.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 }))
      return
    }
    switch try keys.numbers() {
    case .floats(let numbers):
      let pairs = numbers.enumerated().filter { !$0.element.isNaN }.map { ($0.element, $0.offset) }
      places = .floats(Dictionary(pairs, uniquingKeysWith: { $1 }), nan: numbers.lastIndex(where: \.isNaN))
    case .signed(let numbers):
      places = .integers(Dictionary(numbers.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 }))
    case .unsigned: throw KernelError.elementType(keys.elementType)
    }
  }

  /// - Parameter type: of the operand, which says which way the only table of version 1 is read.
  init(encoder context: ReferenceContext, holding type: ElementType) throws {
    if let classes = context[LabelEncoder.classes] {
      let isOnly = !context.node.attributes.contains { $0.name.hasPrefix("keys_") || $0.name.hasPrefix("values_") }
      guard isOnly else { throw KernelError.invalid("classes_strings stands beside another table") }
      let (numbers, texts) = (Tensor(vector: Array(classes.indices)), try Tensor([classes.count], strings: classes))
      if type == .string {
        try self.init(keys: texts, values: numbers, fallback: Tensor(vector: [context[LabelEncoder.defaultInteger]]))
      } else {
        try self.init(
          keys: numbers, values: texts, fallback: Tensor([1], strings: [context[LabelEncoder.defaultString]]))
      }
      return
    }
    var (keys, values): ([Tensor], [Tensor]) = ([], [])
    if let list = context[LabelEncoder.keyStrings] { keys.append(try Tensor([list.count], strings: list)) }
    if let list = context[LabelEncoder.keyIntegers] { keys.append(Tensor(vector: list)) }
    if let list = context[LabelEncoder.keyFloats] { keys.append(Tensor(vector: list)) }
    if let tensor = context[LabelEncoder.keyTensor] { keys.append(tensor) }
    if let list = context[LabelEncoder.valueStrings] { values.append(try Tensor([list.count], strings: list)) }
    if let list = context[LabelEncoder.valueIntegers] { values.append(Tensor(vector: list)) }
    if let list = context[LabelEncoder.valueFloats] { values.append(Tensor(vector: list)) }
    if let tensor = context[LabelEncoder.valueTensor] { values.append(tensor) }
    guard keys.count == 1, values.count == 1 else {
      throw KernelError.invalid("a table needs one list of keys and one of values, not \(keys.count) and \(values.count)")
    }
    var fallback = context[LabelEncoder.defaultTensor]
    if fallback == nil {
      switch values[0].elementType {
      case .string: fallback = try Tensor([1], strings: [context[LabelEncoder.defaultString]])
      case let type where type.isInteger:
        fallback = try Tensor(type, [1], numbers: .signed([Int64(context[LabelEncoder.defaultInteger])]))
      case let type: fallback = try Tensor(type, [1], numbers: .floats([Double(context[LabelEncoder.defaultFloat])]))
      }
    }
    try self.init(keys: keys[0], values: values[0], fallback: fallback ?? values[0])
  }

  /// The value of each element.
  /// - Throws: `KernelError.elementTypesDiffer` if the elements are of another type than the keys.
  func values(_ x: Tensor) throws -> Tensor {
    guard x.elementType == keyType else { throw KernelError.elementTypesDiffer(keyType, x.elementType) }
    let found: [Int]
    switch places {
    case .strings(let places): found = (x.strings ?? []).map { places[$0] ?? defaultPlace }
    case .integers(let places): found = try x.integers().map { places[Int64($0)] ?? defaultPlace }
    case .floats(let places, let nan):
      found = try x.numbers().doubles.map { ($0.isNaN ? nan : places[$0]) ?? defaultPlace }
    }
    return try values.selecting(found, shape: x.shape)
  }
}

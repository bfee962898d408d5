import FXCore

/// What is done to features before a model.
extension ReferenceKernels {
  mutating func addFeatures() {
    self[.arrayFeatureExtractor] = { context in
      let (x, columns) = (try context.tensor(0), try context.integers(1))
      guard let width = x.shape.last else { throw KernelError.invalid("a scalar has no columns") }
      if let wrong = columns.first(where: { $0 < 0 || $0 >= width }) {
        throw KernelError.invalid("there is no column \(wrong) of \(width)")
      }
      let rows = try Tensor.elementCount(of: x.shape.dropLast(), x.elementType)
      let shape = (x.shape.count == 1 ? [1] : x.shape.dropLast()) + [columns.count]
      guard try Selection.count(shape) > 0 else { return [.tensor(try Tensor(zeros: x.elementType, shape))] }
      let places = (0..<rows).flatMap { row in columns.map { row * width + $0 } }
      return [.tensor(try x.selecting(places, shape: shape))]
    }
    self[.binarizer] = { context in
      let x = try context.tensor(0)
      let threshold = Double(context[Binarizer.threshold])
      let ones = try x.numbers().doubles.map { $0 > threshold ? Int64(1) : 0 }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: .signed(ones)))]
    }
    self[.scaler] = { context in
      let x = try context.tensor(0)
      let offset = try columnValues(context[Scaler.offset] ?? [0], Scaler.offset.name, x.shape)
      let scale = try columnValues(context[Scaler.scale] ?? [1], Scaler.scale.name, x.shape)
      let scaled = try x.numbers().doubles.enumerated().map { index, value in
        (value - Double(offset[index % offset.count])) * Double(scale[index % scale.count])
      }
      return [.tensor(try Tensor(.float32, x.shape, numbers: .floats(scaled)))]
    }
    self[.normalizer] = { context in
      let rows = try FeatureRows(context.tensor(0))
      let norm = RowNorm(context[Normalizer.norm])
      var normalized = rows.elements
      for row in 0..<(rows.width > 0 ? rows.count : 0) {
        let x = rows[row]
        let divisor = norm.divisor(of: x)
        for place in x.indices { normalized[place] /= divisor }
      }
      return [.tensor(try Tensor(.float32, try context.tensor(0).shape, numbers: .floats(normalized)))]
    }
    self[.imputer] = { context in [.tensor(try imputed(context))] }
    self[.featureVectorizer] = { context in [.tensor(try sideBySide(context))] }
    self[.oneHotEncoder] = { context in [.tensor(try oneHot(context))] }
    addEncoders()
  }
}

/// What `normalizer` divides rows by.
enum RowNorm {
  case greatest, sum, length

  init(_ name: String) { self = name == "L1" ? .sum : name == "L2" ? .length : .greatest }

  /// 1 for rows of zeros, which stay.
  func divisor<Row: Collection>(of row: Row) -> Double where Row.Element: BinaryFloatingPoint {
    let divisor =
      switch self {
      case .greatest: Double(row.max() ?? 0)
      case .sum: row.reduce(0.0) { $0 + abs(Double($1)) }
      case .length: row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
    return divisor == 0 ? 1 : divisor
  }
}

/// Values for the columns of a tensor: one each, or one for all.
private func columnValues<Value>(_ values: [Value], _ name: String, _ shape: [Int]) throws -> [Value] {
  guard values.count == 1 || (values.count == shape.last && values.count > 0) else {
    throw KernelError.invalid("\(name) has \(values.count) elements for \(shape.last ?? 0) columns")
  }
  return values
}

private func imputed(_ context: ReferenceContext) throws -> Tensor {
  let x = try context.tensor(0)
  guard x.elementType.isFloatingPoint else {
    let values = try columnValues(context[Imputer.integers] ?? [], Imputer.integers.name, x.shape)
    let replaced = context[Imputer.replacedInteger]
    if let range = x.elementType.integerRange, let wrong = values.first(where: { !range.contains($0) }) {
      throw KernelError.invalid("\(wrong) is no \(x.elementType.rawValue)")
    }
    let filled = try x.integers().enumerated().map { $1 == replaced ? values[$0 % values.count] : $1 }
    return try Tensor(x.elementType, x.shape, numbers: .signed(filled.map(Int64.init)))
  }
  let values = try columnValues(context[Imputer.floats] ?? [], Imputer.floats.name, x.shape)
  let replaced = Double(context[Imputer.replacedFloat])
  let filled = try x.numbers().doubles.enumerated().map { index, value in
    value == replaced || (value.isNaN && replaced.isNaN) ? Double(values[index % values.count]) : value
  }
  return try Tensor(x.elementType, x.shape, numbers: .floats(filled))
}

private func sideBySide(_ context: ReferenceContext) throws -> Tensor {
  let operands = try context.operands.indices.map { try context.tensor($0) }
  var parts: [(count: Int, width: Int, elements: [Double])] = []
  for x in operands {
    guard let first = x.shape.first else { throw KernelError.invalid("a scalar is no row of features") }
    let width = x.shape.count == 1 ? first : try Tensor.elementCount(of: Array(x.shape.dropFirst()), x.elementType)
    parts.append((x.shape.count == 1 ? 1 : first, width, try x.numbers().doubles))
  }
  let widths = context[FeatureVectorizer.widths] ?? parts.map(\.width)
  guard let rows = parts.first?.count, widths.count == parts.count, parts.allSatisfy({ $0.count == rows }),
    widths.allSatisfy({ $0 >= 0 && $0 < Int32.max })
  else { throw KernelError.invalid("operands of different numbers of rows, or of other widths than inputdimensions") }
  let shape = [rows, widths.reduce(0, +)]
  var result: [Double] = []
  result.reserveCapacity(try Selection.count(shape))
  guard try Selection.count(shape) > 0 else { return try Tensor(zeros: .float32, shape) }
  for row in 0..<rows {
    for (part, width) in zip(parts, widths) {
      let taken = min(width, part.width)
      result += part.elements[row * part.width..<row * part.width + taken]
      result += Array(repeating: 0, count: width - taken)
    }
  }
  return try Tensor(.float32, shape, numbers: .floats(result))
}

private func oneHot(_ context: ReferenceContext) throws -> Tensor {
  let x = try context.tensor(0)
  let (integers, strings) = (context[OneHotEncoder.integers] ?? [], context[OneHotEncoder.strings] ?? [])
  guard integers.isEmpty != strings.isEmpty else {
    throw KernelError.invalid("either cats_int64s or cats_strings lists the categories")
  }
  let places: [Int?]
  if let texts = x.strings {
    let categories = Dictionary(strings.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
    places = texts.map { categories[$0] }
  } else {
    let categories = Dictionary(integers.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
    switch try x.numbers() {
    case .floats(let values): places = values.map { Int(exactly: $0.rounded(.towardZero)).flatMap { categories[$0] } }
    case .signed(let values): places = values.map { categories[Int($0)] }
    case .unsigned(let values): places = values.map { Int(exactly: $0).flatMap { categories[$0] } }
    }
  }
  guard context[OneHotEncoder.allowsUnknown] || !places.contains(nil) else {
    throw KernelError.invalid("an element is of no category")
  }
  let width = integers.count + strings.count
  let shape = x.shape + [width]
  var ones = Array(repeating: 0.0, count: try Selection.count(shape))
  for (index, place) in places.enumerated() { if let place { ones[index * width + place] = 1 } }
  return try Tensor(.float32, shape, numbers: .floats(ones))
}

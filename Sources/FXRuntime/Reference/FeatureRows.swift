import FXCore

/// The operand of a model: rows of features, widened. A vector is one row.
struct FeatureRows {
  let count: Int
  let width: Int
  let elements: [Double]

  init(_ x: Tensor) throws {
    guard x.shape.count == 1 || x.shape.count == 2 else {
      throw KernelError.invalid("\(x.type) is neither [features] nor [n, features]")
    }
    count = x.shape.count == 1 ? 1 : x.shape[0]
    width = x.shape.count == 1 ? x.shape[0] : x.shape[1]
    elements = try x.numbers().doubles
    // Rows without features may be any number.
    _ = try Selection.count([count])
  }

  /// The features of a row.
  subscript(row: Int) -> ArraySlice<Double> { elements[row * width..<(row + 1) * width] }
}

/// The names of classes.
enum ClassLabels: Sendable {
  case integers([Int])
  case strings([String])

  init(
    _ attributes: Attributes, _ integers: AttributeKey<[Int]?>, _ strings: AttributeKey<[String]?>
  ) throws {
    let (numbers, texts) = (attributes[integers] ?? [], attributes[strings] ?? [])
    guard numbers.isEmpty || texts.isEmpty else {
      throw KernelError.invalid("both \(integers.name) and \(strings.name) name the classes")
    }
    self = texts.isEmpty ? .integers(numbers) : .strings(texts)
  }

  var count: Int {
    switch self {
    case .integers(let labels): labels.count
    case .strings(let labels): labels.count
    }
  }

  /// The labels of classes by number, which are in range.
  func tensor(_ classes: [Int]) throws -> Tensor {
    switch self {
    case .integers(let labels): Tensor(vector: classes.map { labels[$0] })
    case .strings(let labels): try Tensor([classes.count], strings: classes.map { labels[$0] })
    }
  }
}

extension Collection where Element: BinaryFloatingPoint {
  /// The place of the greatest element, the first of several; 0 if there is none. NaN is greater than nothing.
  var greatestPlace: Int {
    var best = (place: 0, value: -Element.infinity)
    for (place, value) in enumerated() where value > best.value { best = (place, value) }
    return best.place
  }
}

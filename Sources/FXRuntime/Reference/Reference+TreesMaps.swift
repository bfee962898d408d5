import FXCore

/// From maps to tensors and back. A map's keys are in ascending order where a kernel makes it.
extension ReferenceKernels {
  mutating func addMaps() {
    self[.zipMap] = { context in
      let x = try FeatureRows(context.tensor(0))
      let labels = try ClassLabels(context.node.attributes, ZipMap.integers, ZipMap.strings)
      guard labels.count == x.width, x.width > 0 else {
        throw KernelError.invalid("\(labels.count) names for \(x.width) columns")
      }
      let (order, keys) = labels.ascending
      let names = try keys.tensor(Array(0..<keys.count))
      let values = Tensor(vector: x.elements.map { Float($0) }).scalars
      let maps = (0..<x.count).map { row in
        RuntimeValue.map(keys: names, values: order.map { .tensor(values[row * x.width + $0]) })
      }
      return [.sequence(maps, element: .map(names.elementType, .tensor(.float32, [])))]
    }
    self[.dictVectorizer] = { context in
      let (keys, values) = try context.map(0)
      let (integers, strings) = (context[DictVectorizer.integers] ?? [], context[DictVectorizer.strings] ?? [])
      guard integers.isEmpty != strings.isEmpty else {
        throw KernelError.invalid("either int64_vocabulary or string_vocabulary lists the keys")
      }
      guard keys.elementCount == 0 || (keys.elementType == .string) == integers.isEmpty else {
        throw KernelError.invalid("the map's keys are \(keys.elementType.rawValue), those of the vocabulary are not")
      }
      let places: [Int?]
      if let texts = keys.strings {
        let found = Dictionary(texts.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        places = strings.map { found[$0] }
      } else {
        let found = Dictionary(try keys.integers().enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        places = integers.map { found[$0] }
      }
      return [.tensor(try values.selecting(places.map { $0 ?? Selection.fill }, shape: [1, places.count]))]
    }
    self[.castMap] = { context in
      let (keys, values) = try context.map(0)
      guard keys.elementCount == 0 || keys.elementType.isInteger else { throw KernelError.elementType(keys.elementType) }
      let numbers = keys.elementCount == 0 ? [] : try keys.integers()
      let type: ElementType =
        switch context[CastMap.castTo] {
        case "TO_INT64": .int64
        case "TO_STRING": .string
        default: .float32
        }
      let cast = try values.converted(to: type)
      let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
      guard context[CastMap.form] == "SPARSE" else {
        return [.tensor(try cast.selecting(order, shape: [1, order.count]))]
      }
      let width = context[CastMap.width]
      if let wrong = numbers.first(where: { $0 < 0 || $0 >= width }) {
        throw KernelError.invalid("the key \(wrong) is no column of \(width)")
      }
      var places = Array(repeating: Selection.fill, count: try Selection.count([1, width]))
      for index in order { places[numbers[index]] = index }
      // What ONNX Runtime fills strings with.
      let fill = type == .string ? try Tensor([], strings: ["0.f"]) : nil
      return [.tensor(try cast.selecting(places, shape: [1, width], fill: fill))]
    }
  }
}

extension ClassLabels {
  /// The labels in ascending order, each once, and where the last of each stands.
  fileprivate var ascending: (order: [Int], labels: ClassLabels) {
    switch self {
    case .integers(let names):
      let last = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 }).sorted { $0.key < $1.key }
      return (last.map(\.value), .integers(last.map(\.key)))
    case .strings(let names):
      // By bytes, whatever Unicode's order is.
      let last = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return (last.map(\.value), .strings(last.map(\.key)))
    }
  }
}

extension ReferenceContext {
  /// The keys of a map, and its values, which are scalars of one type, as a vector.
  fileprivate func map(_ index: Int) throws -> (keys: Tensor, values: Tensor) {
    guard case .map(let keys, let values) = try value(index) else {
      throw KernelError.invalid("operand \(index) is \(try value(index).type), not a map")
    }
    guard keys.elementCount == values.count else {
      throw KernelError.invalid("a map of \(keys.elementCount) keys and \(values.count) values")
    }
    let scalars = try values.map { value in
      guard let tensor = value.tensor, tensor.elementCount == 1 else {
        throw KernelError.invalid("a map's value is \(value.type), not a scalar")
      }
      return try tensor.reshaped([1])
    }
    guard let type = scalars.first?.elementType else { return (keys, try Tensor(zeros: .float32, [0])) }
    guard scalars.allSatisfy({ $0.elementType == type }) else {
      throw KernelError.invalid("a map's values are of several types")
    }
    return (keys, try Tensor.concatenated(scalars, axis: 0))
  }
}

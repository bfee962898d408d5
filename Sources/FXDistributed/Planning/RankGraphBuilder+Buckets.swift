import FXCore

/// Sums of one kind that wait for others to be sent with.
struct Bucket {
  struct Item {
    let value: ValueID
    let operand: Operand
    let type: TensorType
  }

  var axes: [String] = []
  var reduction = Reduction.sum
  var items: [Item] = []
  var bytes = 0
  /// The values that the sums stand for.
  var values: Set<ValueID> = []

  func takes(_ type: TensorType, _ axes: [String], _ reduction: Reduction) -> Bool {
    items.isEmpty
      || (self.axes == axes && self.reduction == reduction && items[0].type.elementType == type.elementType)
  }
}

/// Combining parts of a sum: gradients, of which there are many small ones, several at a time.
///
/// A call costs its latency whatever its size, so sums over the ranks of data parallelism are laid side by side until they are
/// `bucketBytes`, or until one is used. Source: Li et al. 2020, "PyTorch Distributed", section 3.2.3.
extension RankGraphBuilder {
  /// Combines a rank's part of a value with those of the ranks along `axes`.
  mutating func reduce(_ operand: Operand, _ axes: [String], _ reduction: Reduction, _ value: ValueID) throws {
    guard axes == [Mesh.data], let type = copier.target.sizedType(of: operand), type.byteCount < bucketBytes else {
      let attributes: Attributes = ["reduction": .string(reduction.rawValue)]
      let result = try collective(.allReduce, operand, axes, attributes, source.name(of: value))
      return set(value, program.specs[value], result)
    }
    if !bucket.takes(type, axes, reduction) { try empty() }
    (bucket.axes, bucket.reduction) = (axes, reduction)
    bucket.items.append(Bucket.Item(value: value, operand: operand, type: type))
    bucket.values.insert(value)
    bucket.bytes += type.byteCount
    if bucket.bytes >= bucketBytes { try empty() }
  }

  /// Sends what is in the bucket.
  mutating func empty() throws {
    let full = bucket
    bucket = Bucket()
    guard let first = full.items.first else { return }
    let attributes: Attributes = ["reduction": .string(full.reduction.rawValue)]
    guard full.items.count > 1 else {
      let result = try collective(.allReduce, first.operand, full.axes, attributes, source.name(of: first.value))
      return set(first.value, program.specs[first.value], result)
    }
    let element = first.type.elementType
    let counts = full.items.map { ($0.type.shape?.sizes ?? []).reduce(1, *) }
    var rows: [Operand] = []
    for (item, count) in zip(full.items, counts) { rows.append(try reshaped(item.operand, element, [count])) }
    let row = try copier.target.call(
      .concat, rows, attributes: ["axis": 0], type: .tensor(element, Shape([counts.reduce(0, +)])))
    let names = full.items.prefix(2).map { source.name(of: $0.value) }.joined(separator: ", ")
    let label = "\(names)\(full.items.count > 2 ? " and \(full.items.count - 2) more" : "")"
    let sum = try collective(.allReduce, .value(row), full.axes, attributes, label)
    let sizes = Operand.parameter(copier.target.addConstant(Tensor(vector: counts), name: "sizes"))
    let parts = try copier.target.append(
      .split, [sum, sizes], attributes: ["axis": 0], results: counts.map { .tensor(element, Shape([$0])) })
    for (item, part) in zip(full.items, try copier.target[parts].results) {
      set(item.value, program.specs[item.value], try reshaped(.value(part), element, item.type.shape?.sizes ?? []))
    }
  }

  private mutating func reshaped(_ operand: Operand, _ element: ElementType, _ sizes: [Int]) throws -> Operand {
    if copier.target.sizes(of: operand) == sizes { return operand }
    let constant = copier.target.addConstant(Tensor(vector: sizes), name: "sizes")
    return .value(
      try copier.target.call(.reshape, [operand, .parameter(constant)], type: .tensor(element, Shape(sizes))))
  }
}

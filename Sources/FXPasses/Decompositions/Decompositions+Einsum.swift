import FXCore

extension Decompositions {
  mutating func addEinsum() {
    define(.einsum) { context in
      let equation = try context.equation
      let terms = try context.terms()
      guard terms.count == equation.inputs.count, let first = terms.first else {
        throw DecompositionDeclined(reason: "the equation does not fit \(terms.count) operands")
      }
      let type = try first.elementType
      // Products of matrices take no narrow integers; sums in wider ones keep the same low bits.
      let wide: ElementType = type.isInteger && type.bitWidth < 32 ? .int32 : type
      var parts = try zip(terms, equation.inputs).map { try EinsumPart($0.cast(to: wide), $1) }
      let broadcastRank = parts.map { $0.labels.count(where: \.isBroadcast) }.max() ?? 0
      let output = EinsumPart.labels(equation.output, broadcastRank: broadcastRank)
      var result = parts.removeFirst()
      for (index, part) in parts.enumerated() {
        let needed = Set(output + parts[(index + 1)...].flatMap(\.labels))
        result = try result.contracted(with: part, keeping: needed)
      }
      return try result.summed(keeping: Set(output)).ordered(output).cast(to: type)
    }
  }
}

extension DecompositionContext {
  fileprivate var equation: EinsumEquation {
    get throws {
      do { return try EinsumEquation(self[Einsum.equation]) } catch {
        throw DecompositionDeclined(reason: "the equation \(error.reason)")
      }
    }
  }
}

/// A product of operands of an einsum, with a label for each axis.
private struct EinsumPart {
  /// An index variable: a letter, or an axis of an ellipsis counted from its end.
  enum Label: Hashable {
    case letter(Character)
    case broadcast(Int)

    var isBroadcast: Bool { if case .broadcast = self { true } else { false } }
  }

  let term: Term
  let labels: [Label]

  init(term: Term, labels: [Label]) {
    self.term = term
    self.labels = labels
  }

  /// An operand, of whose repeated subscripts the diagonal is taken.
  init(_ operand: Term, _ subscripts: [EinsumEquation.Subscript]) throws {
    let rest = try operand.rank - subscripts.count { $0 != .ellipsis }
    guard rest == 0 || (rest > 0 && subscripts.contains(.ellipsis)) else {
      throw DecompositionDeclined(reason: "the equation does not fit a rank")
    }
    var (term, labels) = (operand, EinsumPart.labels(subscripts, broadcastRank: rest))
    while let (a, b) = EinsumPart.repetition(in: labels) {
      // The two axes side by side at the end, as one: the diagonal is every (n + 1)th element.
      let others = labels.indices.filter { $0 != a && $0 != b }
      let size = try term.size(a)
      let sizes = try others.map(term.size)
      term = try term.transposed(others + [a, b]).reshaped(sizes + [size * size])
        .sliced(others.count, from: 0, step: size + 1)
      labels = others.map { labels[$0] } + [labels[a]]
    }
    (self.term, self.labels) = (term, labels)
  }

  static func labels(_ subscripts: [EinsumEquation.Subscript], broadcastRank: Int) -> [Label] {
    subscripts.flatMap { name -> [Label] in
      switch name {
      case .letter(let letter): [.letter(letter)]
      case .ellipsis: (0..<broadcastRank).reversed().map(Label.broadcast)
      }
    }
  }

  private static func repetition(in labels: [Label]) -> (Int, Int)? {
    for (index, label) in labels.enumerated() {
      if let other = labels[(index + 1)...].firstIndex(of: label) { return (index, other) }
    }
    return nil
  }

  /// The sum over all labels that nobody needs.
  func summed(keeping needed: Set<Label>) throws -> EinsumPart {
    let axes = labels.indices.filter { !needed.contains(labels[$0]) }
    if axes.isEmpty { return self }
    return EinsumPart(
      term: try term.sum(axes, keepDims: false), labels: labels.filter { needed.contains($0) })
  }

  /// The product of two parts as one of matrices: labels of both that are needed are batches, those that are not are
  /// summed, and the others are rows and columns.
  func contracted(with other: EinsumPart, keeping needed: Set<Label>) throws -> EinsumPart {
    let a = try summed(keeping: needed.union(other.labels))
    let b = try other.summed(keeping: needed.union(labels))
    let shared = a.labels.filter(b.labels.contains)
    let batch = shared.filter(needed.contains)
    // A size of 1 that meets another broadcasts, which sums of products do not.
    let (sums, spread) = try a.partition(shared.filter { !needed.contains($0) }, b)
    let rows = a.labels.filter { !b.labels.contains($0) }
    let columns = b.labels.filter { !a.labels.contains($0) }
    if sums.isEmpty || !spread.isEmpty {
      let all = batch + spread + sums + rows + columns
      let product = EinsumPart(term: try a.aligned(all) * b.aligned(all), labels: all)
      return try product.summed(keeping: needed)
    }
    let left = try a.matrices(batch, rows, sums)
    let right = try b.matrices(batch, sums, columns)
    let product = try matmul(left, right)
    // Where a batch's sizes differ, one of them is 1 and the product has the other.
    let sizes = try batch.indices.map(product.size) + rows.map(a.size) + columns.map(b.size)
    return EinsumPart(term: try product.reshaped(sizes), labels: batch + rows + columns)
  }

  private func size(_ label: Label) throws -> Extent {
    try labels.firstIndex(of: label).map(term.size) ?? 1
  }

  /// Which labels have surely the same size in both parts, and which may have to be broadcast.
  private func partition(_ shared: [Label], _ other: EinsumPart) throws -> (same: [Label], other: [Label]) {
    var result: (same: [Label], other: [Label]) = ([], [])
    for label in shared {
      let (a, b) = (dimension(label), other.dimension(label))
      let isSame = a.size == nil || b.size == nil ? !(a.size == 1 || b.size == 1) : a == b
      if isSame { result.same.append(label) } else { result.other.append(label) }
    }
    return result
  }

  private func dimension(_ label: Label) -> Dimension {
    guard let axis = labels.firstIndex(of: label), let shape = term.type.shape, shape.indices.contains(axis) else {
      return .unknown
    }
    return shape[axis]
  }

  /// The axes in another order.
  func ordered(_ order: [Label]) throws -> Term { try aligned(order) }

  /// The axes in another order, those that are lacking of size 1.
  private func aligned(_ order: [Label]) throws -> Term {
    let axes = order.compactMap { labels.firstIndex(of: $0) }
    guard axes.count == labels.count else { throw DecompositionDeclined(reason: "a subscript is lost") }
    return try term.transposed(axes).unsqueezed(order.indices.filter { !labels.contains(order[$0]) })
  }

  /// Matrices whose rows and columns are several axes each.
  private func matrices(_ batch: [Label], _ rows: [Label], _ columns: [Label]) throws -> Term {
    let ordered = try aligned(batch + rows + columns)
    if rows.count == 1, columns.count == 1 { return ordered }
    return try ordered.reshaped(
      batch.map(size) + [rows.map(size).product(), columns.map(size).product()])
  }
}

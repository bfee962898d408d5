import FXCore

extension ReferenceKernels {
  mutating func addLinearAlgebra() {
    self[.matmul] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      let product = try MatrixProduct(a.shape, b.shape)
      if case .floats(let x) = try a.numbers(), case .floats(let y) = try b.numbers() {
        return [.tensor(try Tensor(a.elementType, product.shape, numbers: .floats(product(x, y)), saturating: false))]
      }
      let result = product(try a.numbers().bits, try b.numbers().bits)
      return [.tensor(try Tensor(a.elementType, product.shape, numbers: .signed(result)))]
    }
    self[.gemm] = { context in
      let (shape, result) = try context.gemm()
      return [.tensor(try Tensor(try context.tensor(0).elementType, shape, numbers: result, saturating: false))]
    }
    self[.linear] = { context in
      let (shape, result) = try context.linear()
      return [.tensor(try Tensor(try context.tensor(0).elementType, shape, numbers: result, saturating: false))]
    }
    setFused(.fusedMatmul, residual: 2) { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      let product = try MatrixProduct(a.shape, b.shape)
      return (product.shape, .floats(product(try a.numbers().doubles, try b.numbers().doubles)))
    }
    setFused(.fusedGemm, residual: 3) { try $0.gemm() }
    setFused(.fusedLinear, residual: 3) { try $0.linear() }
    self[.det] = { context in
      let x = try context.tensor(0)
      guard let n = x.shape.last, x.shape.count >= 2, x.shape[x.shape.count - 2] == n else {
        throw KernelError.invalid("\(x.type) holds no square matrices")
      }
      let shape = Array(x.shape.dropLast(2))
      let values = try x.numbers().doubles
      let result = (0..<(try Selection.count(shape))).map { determinant(Array(values[($0 * n * n)..<($0 + 1) * n * n]), n) }
      return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false))]
    }
    self[.einsum] = { context in [.tensor(try context.einsum())] }
  }

  /// A base operator's unrounded result, finished with residual and activation and rounded once.
  private mutating func setFused(
    _ op: Operator, residual: Int, _ base: @escaping @Sendable (ReferenceContext) throws -> ([Int], Numbers)
  ) {
    self[op] = { context in
      let (shape, numbers) = try base(context)
      var result = numbers.doubles
      try FusedActivation.finish(&result, shape: shape, residual: residual, of: context)
      return [.tensor(try Tensor(try context.tensor(0).elementType, shape, numbers: .floats(result), saturating: false))]
    }
  }
}

extension ReferenceContext {
  /// α a′ b′ + β c, unrounded.
  fileprivate func gemm() throws -> ([Int], Numbers) {
    let a = try self[Gemm.transA] ? matrix(0).transposed([1, 0]) : matrix(0)
    let b = try self[Gemm.transB] ? matrix(1).transposed([1, 0]) : matrix(1)
    return try product(a, b, Double(self[Gemm.alpha]), plus: try optionalTensor(2), times: Double(self[Gemm.beta]))
  }

  /// x weightᵀ + bias, unrounded.
  fileprivate func linear() throws -> ([Int], Numbers) {
    let x = try tensor(0)
    guard !x.shape.isEmpty else { throw KernelError.invalid("x is a scalar") }
    return try product(x, try matrix(1).transposed([1, 0]), 1, plus: try optionalTensor(2), times: 1)
  }

  private func matrix(_ index: Int) throws -> Tensor {
    let tensor = try tensor(index)
    guard tensor.shape.count == 2 else { throw KernelError.invalid("operand \(index) is \(tensor.type), not a matrix") }
    return tensor
  }

  private func product(
    _ a: Tensor, _ b: Tensor, _ alpha: Double, plus c: Tensor?, times beta: Double
  ) throws -> ([Int], Numbers) {
    let product = try MatrixProduct(a.shape, b.shape)
    let places = try c.map { c in
      guard try Broadcast.shape([product.shape, c.shape]) == product.shape else {
        throw KernelError.notBroadcastable(product.shape, c.shape)
      }
      return Broadcast.indices(c.shape, to: product.shape)
    }
    // Integers stay exact where the factors allow.
    if !a.elementType.isFloatingPoint, alpha == 1, beta == 1 {
      var result = product(try a.numbers().bits, try b.numbers().bits)
      if let places, let added = try c?.numbers().bits { for i in result.indices { result[i] &+= added[places[i]] } }
      return (product.shape, .signed(result))
    }
    var result = product(try a.numbers().doubles, try b.numbers().doubles)
    if alpha != 1 { for i in result.indices { result[i] *= alpha } }
    if let places, let added = try c?.numbers().doubles { for i in result.indices { result[i] += beta * added[places[i]] } }
    return (product.shape, .floats(result))
  }

  fileprivate func einsum() throws -> Tensor {
    let equation: EinsumEquation
    do { equation = try EinsumEquation(self[Einsum.equation]) } catch {
      throw KernelError.invalid("the equation \(error.reason)")
    }
    let tensors = try operands.indices.map(tensor)
    let sum = try EinsumSum(equation, tensors.map(\.shape))
    let numbers = try tensors.map { try $0.numbers() }
    let type = try tensor(0).elementType
    if type.isFloatingPoint {
      let result = sum(numbers.map(\.doubles))
      return try Tensor(type, sum.shape, numbers: .floats(result), saturating: false)
    }
    return try Tensor(type, sum.shape, numbers: .signed(sum(numbers.map(\.bits))))
  }
}

/// The sum that an einsum's equation means for operands of given shapes.
private struct EinsumSum {
  /// The result's shape.
  let shape: [Int]
  /// For each operand, where the factors of a result's element start.
  private let starts: [[Int]]
  /// For each operand, how far from there the factors of each summand are.
  private let steps: [[Int]]

  /// An index variable: a letter, or an axis of an ellipsis counted from its end.
  private enum Label: Hashable {
    case letter(Character)
    case broadcast(Int)
  }

  init(_ equation: EinsumEquation, _ shapes: [[Int]]) throws {
    guard shapes.count == equation.inputs.count else {
      throw KernelError.invalid("the equation has \(equation.inputs.count) terms for \(shapes.count) operands")
    }
    var sizes: [Label: Int] = [:]
    var order: [Label] = []
    var broadcastRank = 0
    var strides: [[Label: Int]] = []
    for (term, shape) in zip(equation.inputs, shapes) {
      let rest = shape.count - term.count { $0 != .ellipsis }
      guard rest == 0 || (rest > 0 && term.contains(.ellipsis)) else {
        throw KernelError.invalid("the equation does not fit an operand of shape \(shape)")
      }
      broadcastRank = max(broadcastRank, rest)
      let labels = EinsumSum.labels(term, broadcastRank: rest)
      var own: [Label: Int] = [:]
      for (axis, label) in labels.enumerated() {
        let known = sizes[label] ?? 1
        guard known == shape[axis] || known == 1 || shape[axis] == 1 else {
          throw KernelError.invalid("a subscript stands for both \(known) and \(shape[axis])")
        }
        if sizes[label] == nil { order.append(label) }
        sizes[label] = known == 1 ? shape[axis] : known
        // A repeated subscript runs along the diagonal.
        if shape[axis] != 1 { own[label, default: 0] += Selection.strides(shape)[axis] }
      }
      strides.append(own)
    }
    let kept = EinsumSum.labels(equation.output, broadcastRank: broadcastRank)
    let summed = order.filter { !kept.contains($0) }
    shape = kept.map { sizes[$0] ?? 1 }
    func sums(_ labels: [Label], _ strides: [Label: Int]) throws -> [Int] {
      let sizes = labels.map { sizes[$0] ?? 1 }
      guard try Selection.count(sizes) > 0 else { return [] }
      return Selection.sums(zip(labels, sizes).map { label, size in (0..<size).map { $0 * (strides[label] ?? 0) } })
    }
    starts = try strides.map { try sums(kept, $0) }
    steps = try strides.map { try sums(summed, $0) }
  }

  private static func labels(_ term: [EinsumEquation.Subscript], broadcastRank: Int) -> [Label] {
    term.flatMap { name -> [Label] in
      switch name {
      case .letter(let letter): [.letter(letter)]
      case .ellipsis: (0..<broadcastRank).reversed().map(Label.broadcast)
      }
    }
  }

  func callAsFunction<T: ProductElement>(_ operands: [[T]]) -> [T] {
    let count = starts.first?.count ?? 0
    var result: [T] = []
    result.reserveCapacity(count)
    for place in 0..<count {
      var sum = T.zero
      for summand in 0..<(steps.first?.count ?? 0) {
        var product = T.one
        for index in operands.indices {
          product = T.times(product, operands[index][starts[index][place] + steps[index][summand]])
        }
        sum = T.plus(sum, product)
      }
      result.append(sum)
    }
    return result
  }
}

/// The determinant by Gaussian elimination with partial pivoting.
private func determinant(_ matrix: [Double], _ n: Int) -> Double {
  var a = matrix
  var result = 1.0
  for column in 0..<n {
    let pivot = (column..<n).max { abs(a[$0 * n + column]) < abs(a[$1 * n + column]) } ?? column
    if a[pivot * n + column] == 0 { return 0 }
    if pivot != column {
      for j in 0..<n { a.swapAt(pivot * n + j, column * n + j) }
      result = -result
    }
    result *= a[column * n + column]
    for row in column + 1..<n {
      let factor = a[row * n + column] / a[column * n + column]
      for j in column..<n { a[row * n + j] -= factor * a[column * n + j] }
    }
  }
  return result
}

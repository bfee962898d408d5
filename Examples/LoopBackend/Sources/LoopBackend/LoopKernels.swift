import FXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Computes a result from the operands that are there.
typealias LoopKernel = @Sendable ([Tensor]) throws -> Tensor

/// Why there is no kernel for a node, or why one cannot compute.
struct LoopError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The operators that loops run. Facts that hold for every run (attributes, element types, ranks) are looked at when a
/// kernel is made; sizes are looked at when it runs, so that one program serves all of them.
enum LoopKernels {
  static func kernel(for node: Node, in graph: Graph) throws(LoopError) -> LoopKernel {
    guard node.results.count == 1, node.regions.isEmpty else { throw LoopError("loops give one result") }
    for operand in node.operands + node.results.map(Operand.value) {
      // Literals take the type of their neighbours, all of which are checked.
      guard operand.literal == nil, !operand.isNone else { continue }
      guard graph.type(of: operand).elementType == .float32 else {
        throw LoopError("loops run on f32, '\(graph.text(of: operand))' is \(graph.type(of: operand))")
      }
    }
    switch node.op {
    case .add: return binary { $0 + $1 }
    case .sub: return binary { $0 - $1 }
    case .mul: return binary { $0 * $1 }
    case .div: return binary { $0 / $1 }
    case .identity: return { $0[0] }
    case .neg: return vector { -$0 }
    case .relu: return vector { $0.replacing(with: 0, where: $0 .< 0) }
    case .leakyRelu:
      let alpha = node[LeakyRelu.alpha]
      return vector { $0.replacing(with: $0 * alpha, where: $0 .< 0) }
    case .exp: return scalar { exp($0) }
    case .tanh: return scalar { tanh($0) }
    case .sigmoid: return scalar { 1 / (1 + exp(-$0)) }
    case .softmax: return try softmax(node, graph)
    case .gemm: return try gemm(node)
    case .linear: return product(alpha: 1, beta: 1, transposesB: true, flattens: true)
    case .batchNormalization: return try batchNormalization(node)
    default: throw LoopError("loops have no \(node.op)")
    }
  }

  // MARK: Elementwise

  /// Eight elements at a time, then the rest.
  private static func vector(_ function: @escaping @Sendable (SIMD8<Float>) -> SIMD8<Float>) -> LoopKernel {
    { operands in
      let x: [Float] = try operands[0].elements()
      var y = x
      var index = 0
      while index + 8 <= x.count {
        let result = function(SIMD8(x[index..<index + 8]))
        for lane in 0..<8 { y[index + lane] = result[lane] }
        index += 8
      }
      for index in index..<x.count { y[index] = function(SIMD8(repeating: x[index]))[0] }
      return try Tensor(operands[0].shape, y)
    }
  }

  private static func scalar(_ function: @escaping @Sendable (Float) -> Float) -> LoopKernel {
    { operands in
      let x: [Float] = try operands[0].elements()
      return try Tensor(operands[0].shape, x.map(function))
    }
  }

  /// Shapes broadcast as in NumPy: each operand has a stride per dimension of the result, 0 where it is repeated.
  private static func binary(_ function: @escaping @Sendable (Float, Float) -> Float) -> LoopKernel {
    { operands in
      let (a, b): ([Float], [Float]) = (try operands[0].elements(), try operands[1].elements())
      if operands[0].shape == operands[1].shape { return try Tensor(operands[0].shape, zip(a, b).map(function)) }
      let rank = max(operands[0].shape.count, operands[1].shape.count)
      let (p, q) = (padded(operands[0].shape, rank), padded(operands[1].shape, rank))
      let shape = try zip(p, q).map { x, y in
        guard x == y || x == 1 || y == 1 else {
          throw LoopError("shapes \(operands[0].shape) and \(operands[1].shape) do not broadcast")
        }
        return x == 1 ? y : x
      }
      let (s, t) = (strides(p), strides(q))
      let count = shape.reduce(1, *)
      var result: [Float] = []
      result.reserveCapacity(count)
      var position = Array(repeating: 0, count: rank)
      var (i, j) = (0, 0)
      for _ in 0..<count {
        result.append(function(a[i], b[j]))
        for axis in stride(from: rank - 1, through: 0, by: -1) {
          position[axis] += 1
          i += s[axis]
          j += t[axis]
          if position[axis] < shape[axis] { break }
          i -= s[axis] * shape[axis]
          j -= t[axis] * shape[axis]
          position[axis] = 0
        }
      }
      return try Tensor(shape, result)
    }
  }

  private static func padded(_ shape: [Int], _ rank: Int) -> [Int] { Array(repeating: 1, count: rank - shape.count) + shape }

  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = Array(repeating: 0, count: shape.count)
    var stride = 1
    for axis in shape.indices.reversed() {
      strides[axis] = shape[axis] == 1 ? 0 : stride
      stride *= shape[axis]
    }
    return strides
  }

  // MARK: Rows and products

  /// Along the last axis only.
  private static func softmax(_ node: Node, _ graph: Graph) throws(LoopError) -> LoopKernel {
    let axis = node[Softmax.axis]
    guard axis == -1 || graph.type(of: node.operand(0)).shape.map({ axis == $0.rank - 1 }) ?? false else {
      throw LoopError("loops take softmax along the last axis only")
    }
    return { operands in
      var x: [Float] = try operands[0].elements()
      guard let width = operands[0].shape.last, width > 0 else { return operands[0] }
      for start in stride(from: 0, to: x.count, by: width) {
        let row = start..<start + width
        let largest = x[row].max() ?? 0
        var sum: Float = 0
        for index in row {
          x[index] = exp(x[index] - largest)
          sum += x[index]
        }
        for index in row { x[index] /= sum }
      }
      return try Tensor(operands[0].shape, x)
    }
  }

  private static func gemm(_ node: Node) throws(LoopError) -> LoopKernel {
    guard !node[Gemm.transA] else { throw LoopError("loops do not transpose a") }
    return product(alpha: node[Gemm.alpha], beta: node[Gemm.beta], transposesB: node[Gemm.transB], flattens: false)
  }

  /// α a b + β c, row by row: the innermost loop runs along rows of b, which compilers turn into vector code.
  /// - Parameter flattens: whether a's leading dimensions count as rows.
  private static func product(alpha: Float, beta: Float, transposesB: Bool, flattens: Bool) -> LoopKernel {
    { operands in
      let (a, b) = (operands[0], operands[1])
      guard a.shape.count == 2 || (flattens && a.shape.count > 2), b.shape.count == 2, let depth = a.shape.last,
        depth == b.shape[transposesB ? 1 : 0]
      else { throw LoopError("\(a.type) and \(b.type) have no product") }
      let (rows, columns) = (a.elementCount / max(depth, 1), b.shape[transposesB ? 0 : 1])
      let x: [Float] = try a.elements()
      var y: [Float] = try b.elements()
      if transposesB {
        let source = y
        for row in 0..<columns { for column in 0..<depth { y[column * columns + row] = source[row * depth + column] } }
      }
      var result = try start(operands.count > 2 ? operands[2] : nil, rows, columns, scale: beta)
      for row in 0..<rows {
        for inner in 0..<depth {
          let factor = alpha * x[row * depth + inner]
          for column in 0..<columns { result[row * columns + column] += factor * y[inner * columns + column] }
        }
      }
      return try Tensor(a.shape.dropLast() + [columns], result)
    }
  }

  /// β c for every element of the result: c is a scalar, a row, a column or a matrix.
  private static func start(_ c: Tensor?, _ rows: Int, _ columns: Int, scale: Float) throws -> [Float] {
    guard let c else { return Array(repeating: 0, count: rows * columns) }
    let (values, shape): ([Float], [Int]) = (try c.elements(), padded(c.shape, 2))
    guard shape.count == 2, shape[0] == 1 || shape[0] == rows, shape[1] == 1 || shape[1] == columns else {
      throw LoopError("\(c.type) does not broadcast to [\(rows), \(columns)]")
    }
    let steps = strides(shape)
    return (0..<rows).flatMap { row in (0..<columns).map { scale * values[row * steps[0] + $0 * steps[1]] } }
  }

  private static func batchNormalization(_ node: Node) throws(LoopError) -> LoopKernel {
    guard !node[BatchNormalization.trainingMode] else { throw LoopError("loops do not train") }
    let epsilon = node[BatchNormalization.epsilon]
    return { operands in
      var x: [Float] = try operands[0].elements()
      guard operands[0].shape.count > 1 else { throw LoopError("\(operands[0].type) has no channels") }
      let channels = operands[0].shape[1]
      let facts: [[Float]] = try operands[1...].map { try $0.elements() }
      guard facts.count == 4, facts.allSatisfy({ $0.count == channels }) else {
        throw LoopError("\(channels) channels do not fit their statistics")
      }
      let plane = operands[0].shape.dropFirst(2).reduce(1, *)
      for (index, start) in stride(from: 0, to: x.count, by: max(plane, 1)).enumerated() {
        let channel = index % channels
        let factor = facts[0][channel] / (facts[3][channel] + epsilon).squareRoot()
        let offset = facts[1][channel] - facts[2][channel] * factor
        for place in start..<start + plane { x[place] = x[place] * factor + offset }
      }
      return try Tensor(operands[0].shape, x)
    }
  }
}

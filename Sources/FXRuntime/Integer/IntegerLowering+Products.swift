import FXCore

extension IntegerLowering {
  /// A product or convolution of numbers: its operands as integers.
  private func operands(
    _ a: Quantized, _ b: Quantized, bias: Operand, _ tail: Tail
  ) -> [Operand] {
    [
      a.integers, b.integers, a.scale, a.zero, b.scale, b.zero, bias, tail.target?.scale ?? .none, tail.target?.zero ?? .none,
    ]
  }

  /// Whether scales are one, or one for each position of `axis` of `rank` axes.
  private func fits(_ q: Quantized, axis: Int, rank: Int) -> Bool {
    q.scaleCount == 1 || (q.axis < 0 ? q.axis + rank : q.axis) == axis
  }

  /// `matmul`, `linear` and `gemm` of numbers that are made of bytes.
  mutating func lowerProduct(_ node: Node) throws {
    guard let a = activation(node.operand(0)), let rank = shape(a.integers)?.rank, rank >= 2 else { return }
    var transB = false
    var given: Operand = .none
    switch node.op {
    case .linear:
      transB = true
      given = node.operand(2)
    case .gemm:
      transB = node[Gemm.transB]
      given = node.operand(2)
      guard !node[Gemm.transA], node[Gemm.alpha] == 1, given.isNone || node[Gemm.beta] == 1 else { return }
    default: break
    }
    guard let b = try weights(node.operand(1)) ?? activation(node.operand(1)), let bRank = shape(b.integers)?.rank,
      shape(b.integers)?.contains(where: { $0.size == 0 }) == false,
      bRank >= 2, !transB || bRank == 2, fits(b, axis: transB ? 0 : bRank - 1, rank: bRank), b.scaleCount == 1 || bRank == 2
    else { return }
    let columns = shape(b.integers)?[transB ? 0 : bRank - 1].size
    var bias: Operand = .none
    if !given.isNone {
      guard let found = try integerBias(given, a, b, count: columns) else { return }
      bias = found
    }
    let tail = try tail(of: node.results[0], columns: bias.isNone ? columns : nil)
    var attributes = outputAttributes(tail)
    attributes[IntegerOutput.transB] = transB
    try replace(
      tail.value, by: .integerProduct, operands(a, b, bias: bias.isNone ? tail.bias : bias, tail), attributes,
      label: "products of integers")
  }

  /// A bias as integers in units of both scales if it is that, else as numbers; `nil` if it is no constant vector.
  private mutating func integerBias(_ operand: Operand, _ a: Quantized, _ b: Quantized, count: Int?) throws -> Operand? {
    if let tensor = graph.tensor(of: operand) {
      return tensor.elementType == .float32 && tensor.elementCount == count && tensor.shape.last == count ? operand : nil
    }
    guard let q = quantized(operand), let integers = graph.tensor(of: q.integers), integers.elementCount == count,
      let scales = graph.tensor(of: q.scale), let weights = graph.tensor(of: b.scale), let scale = number(a.scale)
    else { return nil }
    let zeros = graph.tensor(of: q.zero)
    if integers.elementType == .int32, try zeros.map({ try $0.numbers().doubles.allSatisfy { $0 == 0 } }) ?? true {
      let (own, other) = (try scales.numbers().doubles, try weights.numbers().doubles)
      let isProduct = (0..<max(own.count, other.count)).allSatisfy {
        let product = scale * other[other.count == 1 ? 0 : min($0, other.count - 1)]
        return abs(own[own.count == 1 ? 0 : min($0, own.count - 1)] - product) <= 1e-6 * product
      }
      if isProduct { return q.integers }
    }
    guard let node = producer(operand) else { return nil }
    return .parameter(
      try constant(
        .dequantizeLinear, [integers, scales] + (zeros.map { [$0] } ?? []), attributes: node.attributes,
        name: "\(graph.name(of: node.id))_numbers"))
  }

  /// `conv` of numbers that are made of bytes, on images of two axes.
  mutating func lowerConvolution(_ node: Node) throws {
    guard let x = activation(node.operand(0)), let w = try weights(node.operand(1)), shape(w.integers)?.rank == 4,
      fits(w, axis: 0, rank: 4), hasPlainWindow(node), graph.tensor(of: w.integers)?.elementCount ?? 0 > 0
    else { return }
    var bias: Operand = .none
    if !node.operand(2).isNone {
      guard let found = try integerBias(node.operand(2), x, w, count: shape(w.integers)?[0].size) else { return }
      bias = found
    }
    let tail = try tail(of: node.results[0], columns: nil)
    var attributes = windowAttributes(node)
    for entry in outputAttributes(tail) { attributes[entry.name] = entry.value }
    try replaceImage(
      tail.value, by: .integerConv, operands(x, w, bias: bias, tail), images: [0], attributes, label: "convolutions of integers")
  }

  /// Whether a window has two axes and cuts nothing off.
  func hasPlainWindow(_ node: Node) -> Bool {
    (node[Conv.pads] ?? [0, 0, 0, 0]).allSatisfy { $0 >= 0 } && (node[Conv.pads]?.count ?? 4) == 4
      && [node[Conv.strides], node[Conv.dilations]].allSatisfy { list in
        list.map { $0.count == 2 && $0.allSatisfy { $0 > 0 } } ?? true
      }
  }

  func windowAttributes(_ node: Node) -> Attributes {
    var attributes = Attributes()
    if node.op != .maxPool, node.op != .averagePool { attributes[Conv.group] = node[Conv.group] }
    attributes[Conv.strides] = node[Conv.strides]
    attributes[Conv.dilations] = node[Conv.dilations]
    attributes[Conv.pads] = node[Conv.pads]
    attributes[Conv.autoPad] = node[Conv.autoPad]
    return attributes
  }

  /// ONNX's `QLinearConv` and `ConvInteger` on images of two axes with constant weights.
  mutating func lowerQuantizedConvolution(_ node: Node) throws {
    let isScaled = node.op == .qlinearConv
    let weight = node.operand(isScaled ? 3 : 1)
    guard let tensor = graph.tensor(of: weight), tensor.shape.count == 4, tensor.elementCount > 0, hasPlainWindow(node),
      count(node.operand(2)) ?? 1 == 1
    else { return }
    var attributes = windowAttributes(node)
    let given = node.operands + Array(repeating: .none, count: 9 - min(node.operands.count, 9))
    var operands: [Operand]
    if isScaled {
      guard let type = elementType(.value(node.results[0])), count(given[1]) == 1, count(given[6]) == 1 else { return }
      attributes[IntegerOutput.type] = type
      operands = [given[0], weight, given[1], given[2], given[4], given[5], given[8], given[6], given[7]]
    } else {
      attributes[IntegerOutput.type] = .int32
      operands = [given[0], weight, .none, given[2], .none, given[3]]
    }
    if let zero = graph.tensor(of: operands[5]), zero.elementCount != 1, zero.elementCount != tensor.shape[0] { return }
    try replaceImage(
      node.results[0], by: .integerConv, operands, images: [0], attributes, label: "convolutions of integers")
  }

  /// `matmul_integer`, its conversion to numbers, their scales and a bias: what dynamic quantization writes.
  mutating func lowerIntegerProduct(_ node: Node) throws {
    let result = node.results[0]
    guard let shape = shape(node.operand(1)), shape.rank >= 2, self.shape(node.operand(0))?.rank ?? 0 >= 2,
      count(node.operand(2)) ?? 1 == 1
    else { return }
    let columns = shape[shape.rank - 1].size
    var bias: Operand = .none
    var current = result
    if let user = try onlyUser(of: current), user.node.op == .add, user.node.operands.count == 2,
      let tensor = graph.tensor(of: user.node.operands[1 - user.operand]), tensor.elementType == .int32,
      tensor.elementCount == columns, tensor.shape.last == columns
    {
      bias = user.node.operands[1 - user.operand]
      current = user.node.results[0]
    }
    guard let cast = try onlyUser(of: current), cast.node.op == .cast, cast.node[Cast.to] == .float32,
      let scaling = try onlyUser(of: cast.node.results[0]), scaling.node.op == .mul,
      let scales = self.scales(scaling.node.operands[1 - scaling.operand], columns: columns, matrixRank: shape.rank)
    else { return }
    let value = scaling.node.results[0]
    let tail = try tail(of: value, columns: bias.isNone ? columns : nil)
    let b = node.operand(1)
    try replace(
      tail.value, by: .integerProduct,
      [
        node.operand(0), b, scales.a, node.operand(2), scales.b, node.operand(3), bias.isNone ? tail.bias : bias,
        tail.target?.scale ?? .none, tail.target?.zero ?? .none,
      ], outputAttributes(tail), label: "products of integers")
  }

  /// What sums are multiplied by, as a scale of the left operand and those of the right one's columns.
  private func scales(_ operand: Operand, columns: Int?, matrixRank: Int) -> (a: Operand, b: Operand)? {
    func isForColumns(_ operand: Operand) -> Bool {
      guard elementType(operand) == .float32, let count = count(operand) else { return false }
      return count == 1 || (count == columns && matrixRank == 2 && shape(operand)?.rank == 1)
    }
    if let node = producer(operand), node.op == .mul, node.operands.count == 2 {
      let (x, y) = (node.operands[0], node.operands[1])
      if count(x) == 1, elementType(x) == .float32, isForColumns(y) { return (x, y) }
      if count(y) == 1, elementType(y) == .float32, isForColumns(x) { return (y, x) }
    }
    return isForColumns(operand) ? (.none, operand) : nil
  }
}

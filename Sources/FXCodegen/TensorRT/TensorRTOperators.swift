import FXCore
import FXShapes

/// How calls of one operator become layers.
struct TensorRTRow: Sendable {
  /// Operands that say sizes and axes only.
  var sizes: Set<Int> = []
  let write: @Sendable (inout TensorRTWriter, Node) throws -> Void
}

/// The rows of all operators that TensorRT's layers give.
struct TensorRTOperators: OperatorRows {
  var rows: [Operator: TensorRTRow] = [:]

  static let standard: TensorRTOperators = {
    var table = TensorRTOperators()
    table.addElementwise()
    table.addLayers()
    table.addMovement()
    return table
  }()

  private mutating func set(
    _ op: Operator, sizes: Set<Int> = [], _ write: @escaping @Sendable (inout TensorRTWriter, Node) throws -> Void
  ) {
    rows[op] = TensorRTRow(sizes: sizes, write: write)
  }

  // MARK: - Elementwise

  private mutating func addElementwise() {
    let binary: [(Operator, String)] = [
      (.add, "kSUM"), (.sub, "kSUB"), (.mul, "kPROD"), (.div, "kDIV"), (.equal, "kEQUAL"), (.greater, "kGREATER"),
      (.less, "kLESS"), (.and, "kAND"), (.or, "kOR"), (.xor, "kXOR"),
    ]
    for (op, name) in binary {
      set(op) { writer, node in
        let (a, b) = (try writer.tensor(node, 0), try writer.tensor(node, 1))
        writer.define(node.results[0], "net.binary(\(a), \(b), nvinfer1::ElementWiseOperation::\(name))")
      }
    }
    // ONNX lets the exponent be of another type than the base, which is the result's; TensorRT's layers do not.
    set(.pow) { writer, node in
      let types = [writer.elementType(node, 0), writer.elementType(node, 1)]
      let common = types[0] == types[1] ? types[0] : types.first(where: \.isFloatingPoint) ?? types[0]
      func converted(_ text: String, from type: ElementType, to wanted: ElementType) throws -> String {
        guard type != wanted else { return text }
        guard let name = TensorRTType.name(wanted) else { throw NativeRefusal(reason: "TensorRT has no \(wanted)") }
        return "net.cast(\(text), DataType::\(name))"
      }
      let base = try converted(try writer.tensor(node, 0), from: types[0], to: common)
      let exponent = try converted(try writer.tensor(node, 1), from: types[1], to: common)
      let power = "net.binary(\(base), \(exponent), nvinfer1::ElementWiseOperation::kPOW)"
      writer.define(node.results[0], try converted(power, from: common, to: types[0]))
    }
    for (op, name) in [(Operator.minimum, "kMIN"), (.maximum, "kMAX")] {
      set(op) { writer, node in
        var text = try writer.tensor(node, 0)
        for index in node.operands.indices.dropFirst() {
          text = "net.binary(\(text), \(try writer.tensor(node, index)), nvinfer1::ElementWiseOperation::\(name))"
        }
        writer.define(node.results[0], text)
      }
    }
    // At least is not less, but for NaN.
    for (op, name) in [(Operator.greaterOrEqual, "kGREATER"), (.lessOrEqual, "kLESS")] {
      set(op) { writer, node in
        let (a, b) = (try writer.tensor(node, 0), try writer.tensor(node, 1))
        let equal = "net.binary(\(a), \(b), nvinfer1::ElementWiseOperation::kEQUAL)"
        let strict = "net.binary(\(a), \(b), nvinfer1::ElementWiseOperation::\(name))"
        writer.define(node.results[0], "net.binary(\(strict), \(equal), nvinfer1::ElementWiseOperation::kOR)")
      }
    }
    let unary: [(Operator, String)] = [
      (.neg, "kNEG"), (.abs, "kABS"), (.sqrt, "kSQRT"), (.exp, "kEXP"), (.log, "kLOG"), (.reciprocal, "kRECIP"),
      (.floor, "kFLOOR"), (.ceil, "kCEIL"), (.round, "kROUND"), (.sign, "kSIGN"), (.erf, "kERF"), (.sin, "kSIN"), (.cos, "kCOS"),
      (.tan, "kTAN"), (.asin, "kASIN"), (.acos, "kACOS"), (.atan, "kATAN"), (.sinh, "kSINH"), (.cosh, "kCOSH"),
      (.asinh, "kASINH"), (.acosh, "kACOSH"), (.atanh, "kATANH"), (.not, "kNOT"), (.isNaN, "kISNAN"),
    ]
    for (op, name) in unary {
      set(op) { writer, node in
        writer.define(node.results[0], "net.unary(\(try writer.tensor(node, 0)), nvinfer1::UnaryOperation::\(name))")
      }
    }
    for (op, name) in [(Operator.relu, "kRELU"), (.sigmoid, "kSIGMOID"), (.tanh, "kTANH")] {
      set(op) { writer, node in
        writer.define(node.results[0], "net.activation(\(try writer.tensor(node, 0)), nvinfer1::ActivationType::\(name))")
      }
    }
    set(.clip) { writer, node in
      var text = try writer.tensor(node, 0)
      for (index, name) in [(1, "kMAX"), (2, "kMIN")] where !node.operand(index).isNone {
        text = "net.binary(\(text), \(try writer.tensor(node, index)), nvinfer1::ElementWiseOperation::\(name))"
      }
      writer.define(node.results[0], text)
    }
    set(.where_) { writer, node in
      let operands = try (0..<3).map { try writer.tensor(node, $0) }
      writer.define(node.results[0], "net.select(\(operands.joined(separator: ", ")))")
    }
    set(.cast) { writer, node in
      guard let type = TensorRTType.name(node[Cast.to]) else { throw NativeRefusal(reason: "TensorRT has no \(node[Cast.to])") }
      writer.define(node.results[0], "net.cast(\(try writer.tensor(node, 0)), DataType::\(type))")
    }
    set(.identity) { writer, node in
      writer.define(node.results[0], "net.identity(\(try writer.tensor(node, 0)))")
    }
  }

  // MARK: - Layers with weights, reductions

  private mutating func addLayers() {
    set(.matmul) { writer, node in
      let (a, b) = (try writer.tensor(node, 0), try writer.tensor(node, 1))
      let ranks = (try writer.shape(node.operands[0]).rank, try writer.shape(node.operands[1]).rank)
      guard ranks.0 >= 2, ranks.1 >= 2 else { throw NativeRefusal(reason: "a product with a vector needs a reshape") }
      writer.define(node.results[0], "net.matmul(\(a), false, \(b), false)")
    }
    set(.gemm) { writer, node in
      guard node[Gemm.alpha] == 1, node[Gemm.beta] == 1 || node.operand(2).isNone else {
        throw NativeRefusal(reason: "factors other than 1 are not written for TensorRT")
      }
      let (a, b) = (try writer.tensor(node, 0), try writer.tensor(node, 1))
      var text = "net.matmul(\(a), \(node[Gemm.transA]), \(b), \(node[Gemm.transB]))"
      if !node.operand(2).isNone {
        text = "net.binary(\(text), \(try writer.tensor(node, 2)), nvinfer1::ElementWiseOperation::kSUM)"
      }
      writer.define(node.results[0], text)
    }
    set(.conv) { writer, node in
      let weight = try writer.fixed(node.operands[1])
      let spatial = weight.count - 2
      guard spatial == 2 || spatial == 3 else { throw NativeRefusal(reason: "TensorRT convolves over two or three axes") }
      let input = try writer.dims(node.operands[0])
      let window = try Window(
        kernel: Array(weight.dropFirst(2)), strides: node[Conv.strides], dilations: node[Conv.dilations], pads: node[Conv.pads],
        autoPad: node[Conv.autoPad])
      let (before, after) = try padding(window, input)
      let text = try
        "net.convolution(\(writer.tensor(node, 0)), \(weight[0]), \(list(window.kernel)), \(writer.layerWeights(node, 1)), \(writer.layerWeights(node, 2)), \(list(window.strides)), \(list(before)), \(list(after)), \(list(window.dilations)), \(node[Conv.group]))"
      writer.define(node.results[0], text)
    }
    for (op, kind) in [(Operator.maxPool, "kMAX"), (.averagePool, "kAVERAGE")] {
      set(op) { writer, node in
        guard node.results.count == 1 else { throw NativeRefusal(reason: "TensorRT's pooling gives no indices") }
        let window = try Window(
          kernel: node[MaxPool.kernelShape], strides: node[Conv.strides], dilations: node[Conv.dilations], pads: node[Conv.pads],
          autoPad: node[Conv.autoPad])
        guard window.dilations.allSatisfy({ $0 == 1 }), !node[MaxPool.ceilMode], window.rank == 2 || window.rank == 3 else {
          throw NativeRefusal(reason: "TensorRT pools over two or three axes, without dilation, rounding down")
        }
        let (before, after) = try padding(window, writer.dims(node.operands[0]))
        let excludes = op == .averagePool && !node[AveragePool.countIncludePad]
        writer.define(
          node.results[0],
          "net.pooling(\(try writer.tensor(node, 0)), nvinfer1::PoolingType::\(kind), \(list(window.kernel)), \(list(window.strides)), \(list(before)), \(list(after)), \(excludes))"
        )
      }
    }
    let reductions: [(Operator, String)] = [
      (.reduceSum, "kSUM"), (.reduceMean, "kAVG"), (.reduceMax, "kMAX"), (.reduceMin, "kMIN"), (.reduceProd, "kPROD"),
    ]
    for (op, name) in reductions {
      set(op, sizes: [1]) { writer, node in
        let rank = try writer.shape(node.operands[0]).rank
        var axes = node.operand(1).isNone ? [] : try writer.integers(node, 1).map { $0 < 0 ? $0 + rank : $0 }
        if axes.isEmpty {
          if node[Reduce.noopWithEmptyAxes] {
            return writer.define(node.results[0], "net.identity(\(try writer.tensor(node, 0)))")
          }
          axes = Array(0..<rank)
        }
        let mask = axes.reduce(0) { $0 | 1 << $1 }
        writer.define(
          node.results[0],
          "net.reduce(\(try writer.tensor(node, 0)), nvinfer1::ReduceOperation::\(name), \(mask), \(node[Reduce.keepDims]))")
      }
    }
    set(.softmax) { writer, node in
      let rank = try writer.shape(node.operands[0]).rank
      let axis = node[Softmax.axis] < 0 ? node[Softmax.axis] + rank : node[Softmax.axis]
      writer.define(node.results[0], "net.softmax(\(try writer.tensor(node, 0)), \(axis))")
    }
  }

  // MARK: - Movement

  private mutating func addMovement() {
    for op in [Operator.reshape, .squeeze, .unsqueeze] {
      set(op, sizes: [1]) { writer, node in
        let (from, to) = (try writer.shape(node.operands[0]), try writer.shape(.value(node.results[0])))
        writer.define(node.results[0], "net.reshape(\(try writer.tensor(node, 0)), \(list(try reshaped(from, to))))")
      }
    }
    set(.transpose) { writer, node in
      let rank = try writer.shape(node.operands[0]).rank
      let order = node[Transpose.permutation] ?? Array((0..<rank).reversed())
      writer.define(node.results[0], "net.transpose(\(try writer.tensor(node, 0)), \(list(order)))")
    }
    set(.expand, sizes: [1]) { writer, node in
      let to = try writer.fixed(.value(node.results[0]))
      writer.define(node.results[0], "net.expand(\(try writer.tensor(node, 0)), \(list(to)))")
    }
    set(.concat) { writer, node in
      let rank = try writer.shape(.value(node.results[0])).rank
      let axis = node[Concat.axis] < 0 ? node[Concat.axis] + rank : node[Concat.axis]
      let operands = try node.operands.indices.map { try writer.tensor(node, $0) }
      writer.define(node.results[0], "net.concat({\(operands.joined(separator: ", "))}, \(axis))")
    }
    set(.split, sizes: [1]) { writer, node in
      let shape = try writer.fixed(node.operands[0])
      let axis = node[Split.axis] < 0 ? node[Split.axis] + shape.count : node[Split.axis]
      let x = try writer.tensor(node, 0)
      var start = 0
      for result in node.results {
        let sizes = try writer.fixed(.value(result))
        let starts = shape.indices.map { $0 == axis ? start : 0 }
        writer.define(result, "net.slice(\(x), \(list(starts)), \(list(sizes)), \(list(shape.map { _ in 1 })))")
        start += sizes[axis]
      }
    }
    set(.slice, sizes: [1, 2, 3, 4]) { writer, node in
      let (shape, sizes) = (try writer.fixed(node.operands[0]), try writer.fixed(.value(node.results[0])))
      let given = try writer.integers(node, 1)
      let axes =
        node.operand(3).isNone ? Array(given.indices) : try writer.integers(node, 3).map { $0 < 0 ? $0 + shape.count : $0 }
      let given_steps = node.operand(4).isNone ? given.map { _ in 1 } : try writer.integers(node, 4)
      var (starts, steps) = (shape.map { _ in 0 }, shape.map { _ in 1 })
      for (index, axis) in axes.enumerated() {
        let (start, step, size) = (given[index], given_steps[index], shape[axis])
        starts[axis] = min(max(start < 0 ? start + size : start, 0), step < 0 ? size - 1 : size)
        steps[axis] = step
      }
      writer.define(node.results[0], "net.slice(\(try writer.tensor(node, 0)), \(list(starts)), \(list(sizes)), \(list(steps)))")
    }
    set(.gather) { writer, node in
      let rank = try writer.shape(node.operands[0]).rank
      let axis = node[Gather.axis] < 0 ? node[Gather.axis] + rank : node[Gather.axis]
      writer.define(node.results[0], "net.gather(\(try writer.tensor(node, 0)), \(try writer.tensor(node, 1)), \(axis))")
    }
  }
}

private func list(_ numbers: [Int]) -> String { "{\(numbers.map(String.init).joined(separator: ", "))}" }

/// Padding before and after each spatial axis; that of `SAME` needs fixed sizes.
private func padding(_ window: Window, _ input: [Int]) throws -> (before: [Int], after: [Int]) {
  let spatial = Array(input.dropFirst(2))
  guard !window.autoPad.hasPrefix("SAME") || !spatial.contains(-1) else {
    throw NativeRefusal(reason: "its padding depends on sizes that a run gives")
  }
  let pads = spatial.indices.map { window.padding(spatial[$0], $0) }
  guard pads.allSatisfy({ $0.start >= 0 && $0.end >= 0 }) else { throw NativeRefusal(reason: "its padding is negative") }
  return (pads.map(\.start), pads.map(\.end))
}

/// What a shuffle layer is told: sizes, 0 for the operand's at the same place, −1 for what is left.
private func reshaped(_ from: Shape, _ to: Shape) throws -> [Int] {
  var sizes: [Int] = []
  for (axis, dimension) in to.dimensions.enumerated() {
    if let size = dimension.size {
      guard size != 0 else { throw NativeRefusal(reason: "TensorRT has no empty tensors") }
      sizes.append(size)
    } else if axis < from.rank, from.dimensions[axis] == dimension, !dimension.isUnknown {
      sizes.append(0)
    } else if !sizes.contains(-1) {
      sizes.append(-1)
    } else {
      throw NativeRefusal(reason: "more than one of its sizes is open: \(to)")
    }
  }
  return sizes
}

import FXCore

extension NativeOperators {
  mutating func addQuantization() {
    self[.quantizeLinear] = .kernel { call in
      let (shape, type) = (try call.shape(0), call.resultType())
      guard type.isInteger else { throw NativeRefusal(reason: "it gives \(type)") }
      let precision = call[Quantize.precision] ?? call.elementType(1)
      guard NativeType.isFloat(precision) else { throw NativeRefusal(reason: "it divides in \(precision)") }
      let names = IndexText.variables(shape.count)
      let place = IndexText.offset(names, IndexText.strides(shape))
      let scale = try scalePlace(call, names, shape)
      let compute = NativeType.compute(precision)
      func rounded(_ text: String) -> String {
        NativeType.isHalf(precision) ? "fx::rounded<\(NativeType.name(precision))>(\(text))" : text
      }
      var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0)), ("scale", .operand(1))]
      if call.has(2) { arguments.append(("zero_point", .operand(2))) }
      let x = rounded("\(compute)(\(NativeType.compute(call.elementType(0)))(x[\(place)]))")
      let factor = rounded("\(compute)(scale[\(scale)])")
      try call.kernel(
        arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, shape),
        [
          "const \(compute) v = \(rounded("\(x) / \(factor)"));",
          "const double q = std::nearbyint(double(v))\(call.has(2) ? " + double(zero_point[\(scale)])" : "");",
          "y[\(place)] = fx::saturate<\(NativeType.name(type))>(q);",
        ])
    }
    self[.dequantizeLinear] = .kernel { call in
      let (shape, type) = (try call.shape(0), call.resultType())
      let names = IndexText.variables(shape.count)
      let place = IndexText.offset(names, IndexText.strides(shape))
      let scale = try scalePlace(call, names, shape)
      var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0)), ("scale", .operand(1))]
      // Differences of 32-bit integers need more than `float`.
      var difference = "fx::sum_of<double>(x[\(place)])"
      if call.has(2) {
        arguments.append(("zero_point", .operand(2)))
        difference = "(\(difference) - fx::sum_of<double>(zero_point[\(scale)]))"
      }
      try call.kernel(
        arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, shape),
        [
          "y[\(place)] = \(NativeType.compute(type))(\(difference) * \(NativeType.compute(call.elementType(1)))(scale[\(scale)]));"
        ])
    }
    self[.matmulInteger] = .kernel { call in
      let (a, b) = (try call.shape(0), try call.shape(1))
      guard a.count >= 2, b.count >= 2 else { throw NativeRefusal(reason: "its operands are no matrices") }
      var problem = try MatrixProblem(a, b)
      // Zero points of rows need the rows as they are.
      if problem.batch.isEmpty, a.count > 2 {
        let batch = Array(a.dropLast(2))
        problem.m = a[a.count - 2]
        (problem.batch, problem.aBatch, problem.bBatch) = (
          batch, IndexText.strides(batch).map { $0 * problem.m * problem.k }, batch.map { _ in 0 }
        )
      }
      let names = IndexText.variables(problem.batch.count, "n") + ["i", "j"]
      var arguments: [(String, NativeCall.Argument)] = [("a", .operand(0)), ("b", .operand(1))]
      func zeroPoint(_ operand: Int, _ name: String, _ variable: String) throws -> String {
        guard call.has(operand) else { return "0" }
        let shape = try call.shape(operand)
        guard shape.count <= 1 || IndexText.count(shape) == 1 else {
          throw NativeRefusal(reason: "its zero points are a matrix")
        }
        arguments.append((name, .operand(operand)))
        return "\(name)[\(IndexText.count(shape) == 1 ? "0" : variable)]"
      }
      let (zeroA, zeroB) = (try zeroPoint(2, "a_zero_point", "i"), try zeroPoint(3, "b_zero_point", "j"))
      let x = IndexText.offset(names + ["l"], problem.aBatch + [problem.aStrides.row, 0, problem.aStrides.column])
      let y = IndexText.offset(names + ["l"], problem.bBatch + [0, problem.bStrides.column, problem.bStrides.row])
      try call.kernel(
        arguments + [("y", .result(0))],
        axes: NativeProgram.Kernel.Axis.list(names, problem.batch + [problem.m, problem.n]),
        [
          "std::int32_t sum = 0;",
          "for (fx::index l = 0; l < \(problem.k); ++l) {",
          "sum = fx::add(sum, (a[\(x)] - \(zeroA)) * (b[\(y)] - \(zeroB)));",
          "}",
          "y[\(IndexText.offset(names, IndexText.strides(problem.batch + [problem.m, problem.n])))] = sum;",
        ])
    }
  }
}

/// Which scale belongs to an element: the only one, that of its place along the axis, or that of its block.
private func scalePlace(_ call: NativeCall, _ names: [String], _ shape: [Int]) throws -> String {
  let scale = try call.shape(1)
  if IndexText.count(scale) == 1 { return "0" }
  let axis = try call.axis(call[Quantize.axis], rank: shape.count)
  if scale.count == 1, call[Quantize.blockSize] == 0 { return names[axis] }
  guard scale.count == shape.count, call[Quantize.blockSize] > 0 else {
    throw NativeRefusal(reason: "scales of shape \(scale) do not go with \(shape)")
  }
  var places = names
  places[axis] = "(\(names[axis]) / \(call[Quantize.blockSize]))"
  return IndexText.offset(places, IndexText.strides(scale))
}

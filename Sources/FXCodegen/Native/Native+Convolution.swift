import FXCore
import FXShapes

extension NativeOperators {
  mutating func addConvolution() {
    self[.conv] = .kernel { call in try ConvolutionProblem(call).write(call) }
    self[.convTranspose] = .kernel { try writeTransposed($0) }
    self[.convInteger] = .kernel { call in
      try ConvolutionProblem(call).writeLoops(call, zeroPoints: (call.has(2), call.has(3)))
    }
  }
}

/// The sizes of a convolution.
struct ConvolutionProblem {
  let input: [Int]
  let output: [Int]
  let weight: [Int]
  let group: Int
  let strides: [Int]
  let dilations: [Int]
  /// Padding at the start of each spatial axis.
  let pads: [Int]

  init(_ call: NativeCall) throws {
    (input, weight, output) = (try call.shape(0), try call.shape(1), try call.resultShape())
    guard input.count >= 3 else { throw NativeRefusal(reason: "its operand has no spatial axes") }
    let window = try Window(
      kernel: Array(weight.dropFirst(2)), strides: call[Conv.strides], dilations: call[Conv.dilations], pads: call[Conv.pads],
      autoPad: call[Conv.autoPad])
    group = call[Conv.group]
    (strides, dilations) = (window.strides, window.dilations)
    let spatial = input.dropFirst(2)
    pads = zip(spatial, spatial.indices).map { size, index in window.padding(size, index - spatial.startIndex).start }
  }

  private var rank: Int { input.count - 2 }

  /// The library's convolution for `float` and `double` over one or two axes, loops for every other one.
  func write(_ call: NativeCall) throws {
    let type = call.resultType()
    guard IndexText.count(output) > 0 else { return }
    guard type == .float32 || type == .float64, rank <= 2, IndexText.count(weight) > 0, IndexText.count(input) > 0 else {
      return try writeLoops(call)
    }
    // One axis is two of which the first has size 1.
    func two(_ sizes: some Sequence<Int>, _ filler: Int) -> [Int] { rank == 2 ? Array(sizes) : [filler] + Array(sizes) }
    let workspace = call.lowering.temporary("workspace", type, [call.lowering.workspaceElements])
    let numbers =
      [input[0], input[1]] + two(input.dropFirst(2), 1) + [output[1]] + two(output.dropFirst(2), 1)
      + two(weight.dropFirst(2), 1) + two(strides, 1) + two(dilations, 1) + two(pads, 0) + [group]
    call.library(
      call.has(2) ? "conv2d_bias" : "conv2d", types: [NativeType.name(type)],
      reads: try (0..<(call.has(2) ? 3 : 2)).map { try call.operandBuffer($0) },
      writes: [try call.resultBuffer(), workspace], numbers)
  }

  func writeLoops(_ call: NativeCall, zeroPoints: (x: Bool, w: Bool)? = nil) throws {
    let type = call.resultType()
    let accumulator = NativeType.accumulator(type)
    let spatial = IndexText.variables(rank, "o")
    let (inner, places) = (IndexText.variables(rank, "k"), IndexText.variables(rank, "p"))
    let (inputStrides, weightStrides) = (IndexText.strides(input), IndexText.strides(weight))
    let (channels, kernels) = (weight[1], output[1] / max(group, 1))
    var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0)), ("w", .operand(1))]
    var start = "\(accumulator)(0)"
    var (xZero, wZero) = ("", "")
    if let zeroPoints {
      if zeroPoints.x {
        arguments.append(("x_zero_point", .operand(2)))
        xZero = " - x_zero_point[0]"
      }
      if zeroPoints.w {
        arguments.append(("w_zero_point", .operand(3)))
        wZero = " - w_zero_point[\(IndexText.count(try call.shape(3)) == 1 ? "0" : "m")]"
      }
    } else if call.has(2) {
      arguments.append(("b", .operand(2)))
      start = "\(accumulator)(\(NativeType.compute(type))(b[m]))"
    }
    var body = ["\(accumulator) sum = \(start);", "for (fx::index c = 0; c < \(channels); ++c) {"]
    for axis in 0..<rank {
      body.append("for (fx::index \(inner[axis]) = 0; \(inner[axis]) < \(weight[axis + 2]); ++\(inner[axis])) {")
      body.append(
        "const fx::index \(places[axis]) = \(spatial[axis]) * \(strides[axis]) + \(inner[axis]) * \(dilations[axis]) - \(pads[axis]);"
      )
      body.append("if (\(places[axis]) < 0 || \(places[axis]) >= \(input[axis + 2])) continue;")
    }
    let channel = group == 1 ? "c" : "(m / \(kernels) * \(channels) + c)"
    let x = IndexText.offset(["n", channel] + places, inputStrides)
    let w = IndexText.offset(["m", "c"] + inner, weightStrides)
    let operand = NativeType.compute(type)
    body.append(
      "sum = fx::add<\(accumulator)>(sum, \(accumulator)(\(operand)(x[\(x)])\(xZero)) * \(accumulator)(\(operand)(w[\(w)])\(wZero)));"
    )
    body += inner.map { _ in "}" } + ["}"]
    let names = ["n", "m"] + spatial
    body.append("y[\(IndexText.offset(names, IndexText.strides(output)))] = \(operand)(sum);")
    try call.kernel(
      arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, output), body)
  }
}

/// Each element of the result gathers what convolution would scatter to it.
private func writeTransposed(_ call: NativeCall) throws {
  let (input, weight, output) = (try call.shape(0), try call.shape(1), try call.resultShape())
  let rank = input.count - 2
  guard rank >= 1 else { throw NativeRefusal(reason: "its operand has no spatial axes") }
  let window = try Window(
    kernel: Array(weight.dropFirst(2)), strides: call[Conv.strides], dilations: call[Conv.dilations], pads: call[Conv.pads],
    autoPad: call[Conv.autoPad])
  let outputPadding = call[ConvTranspose.outputPadding] ?? Array(repeating: 0, count: rank)
  let starts = (0..<rank).map { axis in
    window.transposedStart(
      input[axis + 2], output[axis + 2], axis, outputPadding: outputPadding[axis],
      isShapeGiven: call[ConvTranspose.outputShape] != nil)
  }
  let group = call[Conv.group]
  let (channels, kernels) = (input[1] / max(group, 1), weight[1])
  let type = call.resultType()
  let (compute, accumulator) = (NativeType.compute(type), NativeType.accumulator(type))
  let spatial = IndexText.variables(rank, "o")
  let (inner, places) = (IndexText.variables(rank, "k"), IndexText.variables(rank, "p"))
  var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0)), ("w", .operand(1))]
  var start = "0"
  if call.has(2) {
    arguments.append(("b", .operand(2)))
    start = "\(compute)(b[m])"
  }
  var body = ["\(accumulator) sum = \(accumulator)(\(start));"]
  for axis in 0..<rank {
    let (k, p) = (inner[axis], places[axis])
    body += [
      "for (fx::index \(k) = 0; \(k) < \(weight[axis + 2]); ++\(k)) {",
      "fx::index \(p) = \(spatial[axis]) + \(starts[axis]) - \(k) * \(window.dilations[axis]);",
      "if (\(p) < 0 || \(p) % \(window.strides[axis]) != 0) continue;",
      "\(p) /= \(window.strides[axis]);",
      "if (\(p) >= \(input[axis + 2])) continue;",
    ]
  }
  let channel = group == 1 ? "c" : "(m / \(kernels) * \(channels) + c)"
  let kernel = group == 1 ? "m" : "(m % \(kernels))"
  let x = IndexText.offset(["n", channel] + places, IndexText.strides(input))
  let w = IndexText.offset([channel, kernel] + inner, IndexText.strides(weight))
  body += [
    "for (fx::index c = 0; c < \(channels); ++c) {",
    "sum += \(accumulator)(\(compute)(x[\(x)])) * \(accumulator)(\(compute)(w[\(w)]));", "}",
  ]
  body += inner.map { _ in "}" }
  let names = ["n", "m"] + spatial
  body.append("y[\(IndexText.offset(names, IndexText.strides(output)))] = \(compute)(sum);")
  try call.kernel(arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, output), body)
}

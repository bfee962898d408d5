import FXCore
import FXShapes

extension NativeOperators {
  mutating func addPooling() {
    self[.maxPool] = .kernel { call in
      let type = call.elementType(0)
      let window = try PoolingLoops(call)
      let compute = NativeType.compute(type)
      let hasIndices = call.hasResult(1)
      let isColumnMajor = call[MaxPool.storageOrder] == 1
      let spatial = Array(window.input.dropFirst(2))
      let plane = IndexText.count(spatial)
      // A column-major index weighs coordinates by the products of the sizes before them.
      let strides = isColumnMajor ? IndexText.strides(spatial.reversed()).reversed() : IndexText.strides(spatial)
      var body = ["\(compute) best = fx::lowest<\(compute)>();"]
      if hasIndices { body.append("fx::index where = 0;") }
      body += window.opening
      body.append("const \(compute) v = x[\(window.read)];")
      let isBetter = NativeType.isFloat(type) ? "v > best || fx::is_nan(v)" : "v > best"
      body.append(hasIndices ? "if (\(isBetter)) {" : "best = \(isBetter) ? v : best;")
      if hasIndices {
        body += [
          "best = v;", "where = \(IndexText.offset(["(n * \(window.input[1]) + c)"] + window.places, [plane] + Array(strides)));",
          "}",
        ]
      }
      body += window.closing
      body.append("y[\(window.write)] = best;")
      if hasIndices { body.append("indices[\(window.write)] = where;") }
      try window.write(call, hasIndices ? [("y", .result(0)), ("indices", .result(1))] : [("y", .result(0))], body)
    }
    self[.averagePool] = .kernel { call in
      let type = call.elementType(0)
      let window = try PoolingLoops(call)
      let accumulator = NativeType.accumulator(type)
      let compute = NativeType.compute(type)
      var body = ["\(accumulator) sum = 0;", "fx::index count = 0;"]
      if call[AveragePool.countIncludePad] {
        // Padding counts, what lies beyond it does not.
        body += window.openingPadded + ["++count;"] + window.closing
        body += window.opening + ["sum += \(accumulator)(\(compute)(x[\(window.read)]));"] + window.closing
      } else {
        body += window.opening
        body += ["sum += \(accumulator)(\(compute)(x[\(window.read)]));", "++count;"] + window.closing
      }
      body.append("y[\(window.write)] = \(compute)(count == 0 ? sum : sum / \(accumulator)(count));")
      try window.write(call, [("y", .result(0))], body)
    }
  }
}

/// The loops over the elements of a pooling window that are inside the operand.
private struct PoolingLoops {
  let input: [Int]
  let output: [Int]
  let places: [String]
  let opening: [String]
  /// As `opening`, over the padding too.
  let openingPadded: [String]
  let closing: [String]
  let read: String
  let write: String
  private let names: [String]

  init(_ call: NativeCall) throws {
    (input, output) = (try call.shape(0), try call.resultShape())
    let rank = input.count - 2
    let window = try Window(
      kernel: call[MaxPool.kernelShape], strides: call[Conv.strides], dilations: call[Conv.dilations], pads: call[Conv.pads],
      autoPad: call[Conv.autoPad])
    guard rank == window.rank, rank >= 1 else { throw NativeRefusal(reason: "its window has \(window.rank) axes, not \(rank)") }
    let (spatial, inner) = (IndexText.variables(rank, "o"), IndexText.variables(rank, "k"))
    places = IndexText.variables(rank, "p")
    names = ["n", "c"] + spatial
    var (opening, padded): ([String], [String]) = ([], [])
    for axis in 0..<rank {
      let (start, end) = window.padding(input[axis + 2], axis)
      let lines = [
        "for (fx::index \(inner[axis]) = 0; \(inner[axis]) < \(window.kernel[axis]); ++\(inner[axis])) {",
        "const fx::index \(places[axis]) = \(spatial[axis]) * \(window.strides[axis]) + \(inner[axis]) * \(window.dilations[axis]) - \(start);",
      ]
      opening += lines + ["if (\(places[axis]) < 0 || \(places[axis]) >= \(input[axis + 2])) continue;"]
      padded += lines + ["if (\(places[axis]) >= \(input[axis + 2] + end)) continue;"]
    }
    (self.opening, openingPadded) = (opening, padded)
    closing = inner.map { _ in "}" }
    read = IndexText.offset(["n", "c"] + places, IndexText.strides(input))
    write = IndexText.offset(names, IndexText.strides(output))
  }

  func write(_ call: NativeCall, _ results: [(String, NativeCall.Argument)], _ body: [String]) throws {
    try call.kernel([("x", .operand(0))] + results, axes: NativeProgram.Kernel.Axis.list(names, output), body)
  }
}

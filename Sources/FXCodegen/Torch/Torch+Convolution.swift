import FXCore
import FXShapes

extension TorchRows {
  mutating func addConvolution() {
    define(.conv) { call in
      let rank = try call.spatialRank(1)
      let ones = Array(repeating: 1, count: rank)
      let (strides, dilations) = (call[Conv.strides] ?? ones, call[Conv.dilations] ?? ones)
      let kernel = call[Conv.kernelShape] ?? call.site.shape(1).flatMap { Shape(Array($0.dimensions.dropFirst(2))).sizes }
      let (starts, ends) = try call.padding(kernel: kernel, strides: strides, dilations: dilations)
      var x = call[0]
      let isEven = starts == ends && starts.allSatisfy { $0 >= 0 }
      if !isEven { x = .padded(x, starts, ends) }
      // Arguments that have their default value are left out at the end.
      let arguments: [(TorchExpression, isDefault: Bool)] = [
        (.keyed("stride", .spread(strides)), strides == ones),
        (.keyed("padding", .sizes(isEven ? starts : ones.map { _ in 0 })), !isEven || starts.allSatisfy { $0 == 0 }),
        (.keyed("dilation", .spread(dilations)), dilations == ones),
        (.keyed("groups", .int(call[Conv.group])), call[Conv.group] == 1),
      ]
      let bias: [TorchExpression] = call.has(2) ? [call[2]] : call.language == .python ? [] : [.null]
      return .call("F.conv\(rank)d", [x, call[1]] + bias + call.shortened(arguments))
    }
    define(.convTranspose) { call in
      let rank = try call.spatialRank(1)
      let ones = Array(repeating: 1, count: rank)
      let (strides, dilations) = (call[Conv.strides] ?? ones, call[Conv.dilations] ?? ones)
      let extra = call[ConvTranspose.outputPadding] ?? ones.map { _ in 0 }
      let (starts, ends) = try call.transposedPadding(strides: strides, dilations: dilations, extra: extra)
      let zeros = ones.map { _ in 0 }
      // PyTorch pads both ends alike, and extends by less than a stride.
      let isPlain =
        starts == zip(ends, extra).map { $0 + $1 } && starts.allSatisfy { $0 >= 0 }
        && zip(extra, zip(strides, dilations)).allSatisfy { $0 < max($1.0, $1.1) }
      let bias: [TorchExpression] = call.has(2) && isPlain ? [call[2]] : call.language == .python ? [] : [.null]
      let arguments: [(TorchExpression, isDefault: Bool)] = [
        (.keyed("stride", .spread(strides)), strides == ones),
        (.keyed("padding", .sizes(isPlain ? starts : zeros)), !isPlain || starts == zeros),
        (.keyed("output_padding", .spread(isPlain ? extra : zeros)), !isPlain || extra == zeros),
        (.keyed("groups", .int(call[Conv.group])), call[Conv.group] == 1),
        (.keyed("dilation", .spread(dilations)), dilations == ones),
      ]
      let y = TorchExpression.call("F.conv_transpose\(rank)d", [call[0], call[1]] + bias + call.shortened(arguments))
      if isPlain { return y }
      let cut = TorchExpression.padded(y, starts.map { -$0 }, ends.map { -$0 })
      guard call.has(2) else { return cut }
      return .binary(cut, "+", .method(call[2], "reshape", [.ints([-1] + ones)]))
    }
  }
}

extension TorchExpression {
  /// One number if all are equal.
  static func spread(_ values: [Int]) -> TorchExpression {
    Set(values).count == 1 ? .int(values[0]) : .ints(values)
  }

  /// The same as a type of its own in C++, where a convolution's padding may be text as well.
  static func sizes(_ values: [Int]) -> TorchExpression {
    .either(python: spread(values).text(.python), cpp: "at::IntArrayRef(\(ints(values).text(.cpp)))")
  }

  /// Spatial axes with elements added before and after, or cut where the numbers are negative.
  static func padded(
    _ x: TorchExpression, _ starts: [Int], _ ends: [Int], with value: TorchExpression? = nil
  ) -> TorchExpression {
    let pads = zip(starts, ends).reversed().flatMap { [$0, $1] }
    return .call("F.pad", [x, .ints(pads)] + (value.map { [.keyed("mode", "constant"), .keyed("value", $0)] } ?? []))
  }
}

extension TorchCall {
  /// The spatial axes of operand `index`: PyTorch has one to three.
  func spatialRank(_ index: Int) throws -> Int {
    let rank = try site.knownRank(index) - 2
    guard (1...3).contains(rank) else { throw NotExpressible("PyTorch slides windows over one to three axes, not \(rank)") }
    return rank
  }

  /// Arguments without those at the end that have their default; in Python, which names them, without any such.
  func shortened(_ arguments: [(TorchExpression, isDefault: Bool)]) -> [TorchExpression] {
    if language == .python { return arguments.filter { !$0.isDefault }.map(\.0) }
    let last = arguments.lastIndex { !$0.isDefault }.map { $0 + 1 } ?? 0
    return arguments.prefix(last).map(\.0)
  }

  /// The padding of a window before and after each axis.
  /// - Throws: `NotExpressible` if it follows from sizes that only the run tells.
  func padding(kernel: [Int]?, strides: [Int], dilations: [Int]) throws -> (starts: [Int], ends: [Int]) {
    let rank = strides.count
    let mode = self[Conv.autoPad]
    guard mode.hasPrefix("SAME") else {
      let pads = mode == "VALID" ? nil : self[Conv.pads]
      let all = pads ?? Array(repeating: 0, count: 2 * rank)
      guard all.count == 2 * rank else { throw NotExpressible("pads do not fit \(rank) axes") }
      return (Array(all[..<rank]), Array(all[rank...]))
    }
    guard let kernel else { throw NotExpressible("the kernel's sizes are not known, from which the padding follows") }
    let window = try Window(kernel: kernel, strides: strides, dilations: dilations, pads: nil, autoPad: mode)
    // With steps of 1 the padding does not depend on the sizes.
    let sizes =
      strides.allSatisfy { $0 == 1 } ? Array(repeating: 1, count: rank) : Array(try site.sizes(0).dropFirst(2))
    let pads = sizes.indices.map { window.padding(sizes[$0], $0) }
    return (pads.map(\.start), pads.map(\.end))
  }

  /// How many elements a transposed convolution's full result is cut by at its ends.
  fileprivate func transposedPadding(
    strides: [Int], dilations: [Int], extra: [Int]
  ) throws -> (starts: [Int], ends: [Int]) {
    let rank = strides.count
    let given = self[ConvTranspose.outputShape]
    guard given != nil || self[Conv.autoPad].hasPrefix("SAME") else {
      let (starts, ends) = try padding(kernel: nil, strides: strides, dilations: dilations)
      return (starts, zip(ends, extra).map { $0 - $1 })
    }
    let (input, kernel) = (Array(try site.sizes(0).dropFirst(2)), Array(try site.sizes(1).dropFirst(2)))
    let window = try Window(
      kernel: kernel, strides: strides, dilations: dilations, pads: self[Conv.pads], autoPad: self[Conv.autoPad])
    let output = try given ?? Array(site.resultSizes().dropFirst(2))
    let starts = (0..<rank).map {
      window.transposedStart(input[$0], output[$0], $0, outputPadding: extra[$0], isShapeGiven: given != nil)
    }
    let ends = (0..<rank).map { (input[$0] - 1) * strides[$0] + window.extent($0) - starts[$0] - output[$0] }
    return (starts, ends)
  }
}

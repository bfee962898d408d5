import FXCore
import FXShapes

extension NumpyRows {
  mutating func addConvolution() {
    define(.conv) { call in
      let bias = call.has(2) ? ", \(call[2])" : ""
      return "\(call.use(.conv))(\(call[0]), \(call[1])\(bias), \(try call.convolutionArguments()))"
    }
    define(.convTranspose) { call in
      let rank = try call.site.knownRank(1) - 2
      let window = try call.window(rank: rank, kernel: nil)
      let padding = call[ConvTranspose.outputPadding] ?? Array(repeating: 0, count: rank)
      let pads: [Int]
      if call[ConvTranspose.outputShape] == nil, !call[Conv.autoPad].hasPrefix("SAME") {
        pads =
          call[Conv.autoPad] == "VALID"
          ? Array(repeating: 0, count: 2 * rank) : call[Conv.pads] ?? Array(repeating: 0, count: 2 * rank)
      } else {
        let input = Array(try call.site.sizes(0)[2...])
        let kernel = Array(try call.site.sizes(1)[2...])
        let sized = try Window(
          kernel: kernel, strides: window.strides, dilations: window.dilations, pads: call[Conv.pads], autoPad: call[Conv.autoPad]
        )
        let output = try call[ConvTranspose.outputShape] ?? Array(call.site.resultSizes()[2...])
        let isGiven = call[ConvTranspose.outputShape] != nil
        let starts = input.indices.map {
          sized.transposedStart(input[$0], output[$0], $0, outputPadding: padding[$0], isShapeGiven: isGiven)
        }
        let full = input.indices.map { (input[$0] - 1) * sized.strides[$0] + sized.extent($0) + padding[$0] }
        pads = starts + input.indices.map { full[$0] - starts[$0] - output[$0] }
      }
      let bias = call.has(2) ? ", \(call[2])" : ""
      let group = call[Conv.group] == 1 ? "" : ", group=\(call[Conv.group])"
      return "\(call.use(.convTranspose))(\(call[0]), \(call[1])\(bias), strides=\(NumpyCall.tuple(window.strides)), "
        + "pads=\(NumpyCall.tuple(pads)), dilations=\(NumpyCall.tuple(window.dilations)), "
        + "output_padding=\(NumpyCall.tuple(padding))\(group))"
    }
  }
}

extension NumpyCall {
  /// The strides and distances of a window, with 1 where nothing is said.
  func window(rank: Int, kernel: [Int]?) throws -> (strides: [Int], dilations: [Int]) {
    let ones = Array(repeating: 1, count: rank)
    let (strides, dilations) = (self[Conv.strides] ?? ones, self[Conv.dilations] ?? ones)
    guard strides.count == rank, dilations.count == rank else { throw NotExpressible("strides or dilations do not fit") }
    return (strides, dilations)
  }

  /// The padding of a window: numbers, or an expression where they follow from sizes that only the run tells.
  mutating func pads(kernel: [Int]?, kernelText: String, strides: [Int], dilations: [Int]) throws -> String {
    let rank = strides.count
    let mode = self[Conv.autoPad]
    guard mode.hasPrefix("SAME") else {
      let none = Array(repeating: 0, count: 2 * rank)
      return NumpyCall.tuple(mode == "VALID" ? none : self[Conv.pads] ?? none)
    }
    if let kernel, let sizes = site.shape(0).flatMap({ Shape(Array($0.dimensions.dropFirst(2))).sizes }) {
      let window = try Window(kernel: kernel, strides: strides, dilations: dilations, pads: nil, autoPad: mode)
      let pads = sizes.indices.map { window.padding(sizes[$0], $0) }
      return NumpyCall.tuple(pads.map(\.start) + pads.map(\.end))
    }
    let arguments = "\(primary(0)).shape[2:], \(kernelText), \(NumpyCall.tuple(strides)), \(NumpyCall.tuple(dilations))"
    return "\(use(.samePads))(\(arguments), \(NumpyCall.truth(mode == "SAME_UPPER")))"
  }

  /// `strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1)` and the group, of a convolution.
  mutating func convolutionArguments() throws -> String {
    let rank = try site.knownRank(1) - 2
    let (strides, dilations) = try window(rank: rank, kernel: nil)
    let kernel = self[Conv.kernelShape] ?? site.shape(1).flatMap { Shape(Array($0.dimensions.dropFirst(2))).sizes }
    let pads = try pads(kernel: kernel, kernelText: "\(primary(1)).shape[2:]", strides: strides, dilations: dilations)
    let group = self[Conv.group] == 1 ? "" : ", group=\(self[Conv.group])"
    return "strides=\(NumpyCall.tuple(strides)), pads=\(pads), dilations=\(NumpyCall.tuple(dilations))\(group)"
  }
}

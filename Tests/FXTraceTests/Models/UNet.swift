import FXTrace

/// Ronneberger et al. 2015: down through poolings, up through transposed convolutions, each step beside its mirror image.
struct UNet: Module {
  let down: [ConvolutionPair]
  let bottom: ConvolutionPair
  let up: [ConvTranspose2d]
  let merge: [ConvolutionPair]
  let pool = MaxPool2d(kernel: 2)
  let output: Conv2d

  init(channels: Int = 3, widths: [Int], classes: Int) {
    down = zip([channels] + widths, widths.dropLast()).map { ConvolutionPair($0, $1) }
    bottom = ConvolutionPair(widths[widths.count - 2], widths[widths.count - 1])
    let climbs = zip(widths.dropFirst(), widths).reversed()
    up = climbs.map { ConvTranspose2d($0, $1, kernel: 2, stride: 2) }
    merge = climbs.map { ConvolutionPair(2 * $1, $1) }
    output = Conv2d(widths[0], classes, kernel: 1)
  }

  func forward(_ images: SymbolicTensor) -> SymbolicTensor {
    var x = images
    var skipped: [SymbolicTensor] = []
    for layer in down {
      x = layer(x)
      skipped.append(x)
      x = pool(x)
    }
    x = bottom(x)
    for (index, skip) in skipped.reversed().enumerated() {
      x = merge[index](concat(skip, up[index](x), axis: 1))
    }
    return output(x)
  }
}

/// Twice: convolution, normalization, relu.
struct ConvolutionPair: Module {
  let layers: Sequential

  init(_ input: Int, _ output: Int) {
    layers = Sequential(
      Conv2d(input, output, kernel: 3, padding: 1, bias: false), BatchNorm2d(output), ReLU(),
      Conv2d(output, output, kernel: 3, padding: 1, bias: false), BatchNorm2d(output), ReLU())
  }

  func forward(_ x: SymbolicTensor) -> SymbolicTensor { layers(x) }
}

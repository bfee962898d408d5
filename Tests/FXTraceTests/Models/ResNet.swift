import FXTrace

/// He et al. 2015, with 18 layers. Names are torchvision's, so that its state dictionaries load.
struct ResNet18: Module {
  let conv1: Conv2d
  let bn1: BatchNorm2d
  let relu = ReLU()
  let maxpool = MaxPool2d(kernel: 3, stride: 2, padding: 1)
  let layer1, layer2, layer3, layer4: Sequential
  let avgpool = AdaptiveAvgPool2d(1)
  let fc: Linear

  init(width: Int = 64, classes: Int = 1000) {
    conv1 = Conv2d(3, width, kernel: 7, stride: 2, padding: 3, bias: false)
    bn1 = BatchNorm2d(width)
    layer1 = ResNet18.stage(width, width, stride: 1)
    layer2 = ResNet18.stage(width, 2 * width, stride: 2)
    layer3 = ResNet18.stage(2 * width, 4 * width, stride: 2)
    layer4 = ResNet18.stage(4 * width, 8 * width, stride: 2)
    fc = Linear(8 * width, classes)
  }

  private static func stage(_ input: Int, _ output: Int, stride: Extent2d) -> Sequential {
    Sequential(BasicBlock(input, output, stride: stride), BasicBlock(output, output, stride: 1))
  }

  func forward(_ images: SymbolicTensor) -> SymbolicTensor {
    var x = maxpool(relu(bn1(conv1(images))))
    for layer in [layer1, layer2, layer3, layer4] { x = layer(x) }
    return fc(flatten(avgpool(x)))
  }
}

struct BasicBlock: Module {
  let conv1, conv2: Conv2d
  let bn1, bn2: BatchNorm2d
  let downsample: Sequential?

  init(_ input: Int, _ output: Int, stride: Extent2d) {
    conv1 = Conv2d(input, output, kernel: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(output)
    conv2 = Conv2d(output, output, kernel: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(output)
    downsample =
      stride == 1
      ? nil : Sequential(Conv2d(input, output, kernel: 1, stride: stride, bias: false), BatchNorm2d(output))
  }

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let y = bn2(conv2(relu(bn1(conv1(x)))))
    return relu(y + (downsample?(x) ?? x))
  }
}

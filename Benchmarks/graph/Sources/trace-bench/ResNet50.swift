import FXTrace

/// He et al. 2015, with 50 layers: what torchvision's `resnet50` is.
struct ResNet50: Module {
  let conv1 = Conv2d(3, 64, kernel: 7, stride: 2, padding: 3, bias: false)
  let bn1 = BatchNorm2d(64)
  let relu = ReLU()
  let maxpool = MaxPool2d(kernel: 3, stride: 2, padding: 1)
  let layers: [Sequential]
  let avgpool = AdaptiveAvgPool2d(1)
  let fc = Linear(2048, 1000)

  init() {
    var input = 64
    layers = [(64, 3), (128, 4), (256, 6), (512, 3)].map { width, count in
      let blocks = (0..<count).map { index in
        let block = Bottleneck(input, width, stride: index == 0 && width > 64 ? 2 : 1)
        input = 4 * width
        return block
      }
      return Sequential(blocks)
    }
  }

  func forward(_ images: SymbolicTensor) -> SymbolicTensor {
    let x = layers.reduce(maxpool(relu(bn1(conv1(images))))) { $1($0) }
    return fc(flatten(avgpool(x)))
  }
}

struct Bottleneck: Module {
  let conv1, conv2, conv3: Conv2d
  let bn1, bn2, bn3: BatchNorm2d
  let relu = ReLU()
  let downsample: Sequential?

  init(_ input: Int, _ width: Int, stride: Extent2d) {
    conv1 = Conv2d(input, width, kernel: 1, bias: false)
    bn1 = BatchNorm2d(width)
    conv2 = Conv2d(width, width, kernel: 3, stride: stride, padding: 1, bias: false)
    bn2 = BatchNorm2d(width)
    conv3 = Conv2d(width, 4 * width, kernel: 1, bias: false)
    bn3 = BatchNorm2d(4 * width)
    downsample =
      input == 4 * width
      ? nil : Sequential(Conv2d(input, 4 * width, kernel: 1, stride: stride, bias: false), BatchNorm2d(4 * width))
  }

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let y = bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x))))))))
    return relu(y + (downsample?(x) ?? x))
  }
}

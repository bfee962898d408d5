import FXCore
import FXTrace

/// Dosovitskiy et al. 2020: an image as a sequence of patches, and a token whose last state is classified.
struct VisionTransformer: Module {
  let patches: Conv2d
  let token: ModuleParameter
  let positions: ModuleParameter
  let encoder: TransformerEncoder
  let head: Linear

  init(image: Int, patch: Int, width: Int, depth: Int, heads: Int, classes: Int) {
    let count = (image / patch) * (image / patch)
    patches = Conv2d(3, width, kernel: Extent2d(patch), stride: Extent2d(patch))
    token = ModuleParameter(.float32, [1, 1, width], initializer: .constant(0))
    positions = ModuleParameter(.float32, [1, count + 1, width], initializer: .normal(mean: 0, deviation: 0.02))
    encoder = TransformerEncoder(
      (0..<depth).map { _ in
        TransformerEncoderLayer(
          width, heads: heads, feedForward: 4 * width, activation: .gelu, batchFirst: true, normFirst: true)
      }, norm: LayerNorm(width))
    head = Linear(width, classes)
  }

  func forward(_ images: SymbolicTensor) -> SymbolicTensor {
    let sequence = permute(flatten(patches(images), from: 2), 0, 2, 1)
    let first = expand(images.lift(token), [images.dimension(0), -1, -1])
    let x = encoder(concat(first, sequence, axis: 1) + positions)
    return head(x[..., 0, 0...])
  }
}

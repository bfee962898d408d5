import FXCore
import FXRuntime
import FXTrace
import Testing

/// Functions give what PyTorch's of the same names give (scripts/make-parity-cases.py, `functions`).
@Suite struct FunctionParityTests {
  typealias Function = @Sendable ([String: SymbolicTensor]) -> SymbolicTensor
  private typealias Unary = (SymbolicTensor, String, Int) -> SymbolicTensor

  private static func of(_ operand: String, _ function: @escaping @Sendable (SymbolicTensor) -> SymbolicTensor) -> Function {
    { function($0[operand]!) }
  }

  private static func of(
    _ a: String, _ b: String, _ function: @escaping @Sendable (SymbolicTensor, SymbolicTensor) -> SymbolicTensor
  ) -> Function {
    { function($0[a]!, $0[b]!) }
  }

  static let elementwise: [String: Function] = [
    "tan": of("a") { tan($0) }, "sinh": of("a") { sinh($0) }, "cosh": of("a") { cosh($0) }, "atan": of("a") { atan($0) },
    "erfc": of("a") { erfc($0) }, "trunc": of("a") { trunc($0) }, "frac": of("a") { frac($0) },
    "square": of("a") { square($0) }, "exp2": of("a") { exp2($0) }, "expm1": of("a") { expm1($0) },
    "log2": of("positive") { log2($0 + 1) }, "log10": of("positive") { log10($0 + 1) },
    "log1p": of("positive") { log1p($0 + 1) }, "rsqrt": of("positive") { rsqrt($0 + 1) },
    "acosh": of("positive") { acosh($0 + 1) }, "asin": of("unit") { asin($0) }, "acos": of("unit") { acos($0) },
    "atanh": of("unit") { atanh($0) }, "logit": of("unit") { logit($0) },
    "remainder": of("a", "b") { remainder($0, $1) }, "fmod": of("a", "b") { fmod($0, $1) },
    "remainderInt": of("whole") { remainder($0, 4) }, "floorDivide": of("a", "b") { floorDivide($0, $1) },
    "floorDivideInt": of("whole") { floorDivide($0, 4) }, "atan2": of("a", "b") { atan2($0, $1) },
    "hypot": of("a", "b") { hypot($0, $1) }, "lerp": of("a", "b") { lerp($0, $1, weight: 0.3) },
    "addcmul": { addcmul($0["a"]!, $0["b"]!, $0["positive"]!, value: 0.5) },
    "addcdiv": { addcdiv($0["a"]!, $0["b"]!, $0["positive"]!, value: 0.5) }, "clamp": of("a") { clamp($0, min: -0.5) },
  ]

  static let activations: [String: Function] = [
    "logSigmoid": of("a") { logSigmoid($0) }, "softsign": of("a") { softsign($0) }, "celu": of("a") { celu($0, alpha: 0.7) },
    "relu6": of("a") { relu6($0 * 4) }, "hardTanh": of("a") { hardTanh($0, -0.5, 0.7) },
    "hardSigmoid": of("a") { hardSigmoid($0) }, "hardSwish": of("a") { hardSwish($0) },
    "prelu": of("a") { prelu($0, weight: Tensor(vector: [0.1, 0.2, 0.3] as [Float])) },
    "threshold": of("a") { threshold($0, 0.1, -3) }, "glu": of("a") { glu($0) },
    "softShrink": of("a") { softShrink($0, lambda: 0.3) }, "hardShrink": of("a") { hardShrink($0, lambda: 0.3) },
    "tanhShrink": of("a") { tanhShrink($0) }, "softmin": of("a") { softmin($0, axis: 1) }, "mish": of("a") { mish($0) },
    "selu": of("a") { selu($0) }, "elu": of("a") { elu($0, alpha: 0.6) }, "softplus": of("a") { softplus($0) },
  ]

  static let reductions: [String: Function] = [
    "variance": of("a") { variance($0, axes: [1, 2]) },
    "standardDeviation": of("a") { standardDeviation($0, axes: [0], keepDims: true) },
    "norm3": of("a") { norm($0, p: 3, axes: [1]) }, "normInf": of("a") { norm($0, p: .infinity, axes: [2]) },
    "normalize": of("a") { normalize($0, axis: 2) }, "maxValues": of("a") { max($0, axis: 1).values },
    "maxIndices": of("a") { max($0, axis: 1).indices }, "argmax": of("a") { argmax($0) },
    "cumsum": of("a") { cumsum($0, axis: 1) }, "cumprod": of("a") { cumprod($0, axis: 2) },
    "topK": of("a") { topK($0, 2, axis: 1).values }, "sort": of("a") { sort($0, axis: 2, descending: true).values },
    "argsort": of("a") { argsort($0, axis: 1) }, "countNonzero": of("whole") { countNonzero($0) },
    "logSumExp": of("a") { logSumExp($0, axes: [2]) }, "cosine": of("a", "b") { cosineSimilarity($0, $1) },
    "addmm": { addmm($0["weight"]![..<4], $0["matrix"]!, $0["matrix"]!, beta: 0.5, alpha: 2) },
    "outer": of("weight") { outer($0, $0) }, "tril": of("matrix") { tril($0, diagonal: 1) },
    "triu": of("matrix") { triu($0) }, "det": of("matrix") { det($0) },
    "einsum": of("a", "b") { einsum("bij,bkj->bik", $0, $1) }, "localResponse": of("image") { localResponseNorm($0, size: 3) },
  ]

  static let movements: [String: Function] = [
    "stack": of("a", "b") { stack($0, $1, axis: 1) }, "moveAxis": of("a") { moveAxis($0, from: 0, to: 2) },
    "flatten": of("image") { flatten($0, from: 1, through: 2) }, "unflatten": of("image") { unflatten($0, axis: 1, [2, 2]) },
    "tile": of("a") { tile($0, [1, 2, 1]) }, "repeatInterleave": of("a") { repeatInterleave($0, 2, axis: 1) },
    "chunk": of("image") { chunk($0, 4, axis: 3)[3] }, "flip": of("a") { flip($0, axes: [0, 2]) },
    "roll": of("a") { roll($0, shift: 1, axis: 2) }, "padConstant": of("a") { pad($0, [1, 2, -1, 0], value: 7) },
    "padReflect": of("image") { pad($0, [1, 2, 2, 1], mode: .reflect) },
    "padReplicate": of("image") { pad($0, [1, 2, 2, 1], mode: .replicate) },
    "padCircular": of("image") { pad($0, [1, 2, 2, 1], mode: .circular) },
    "pixelShuffle": of("image") { pixelShuffle($0, 2) }, "pixelUnshuffle": of("image") { pixelUnshuffle($0[..., ..<6], 2) },
    "gatherElements": of("a", "index") { gatherElements($0, $1, axis: 1) },
    "scatter": of("a", "index") { scatter($0, $1[0..., ..<1], ones(like: $0[0..., ..<1]) * 9, axis: 1) },
    "scatterAdd": { scatter($0["a"]!, $0["index"]!, $0["b"]![0..., ..<2], axis: 1, reduction: .add) },
    "oneHot": of("index") { oneHot($0, count: 3) }, "maskedFill": of("a") { maskedFill($0, $0 .> 0, 5.0) },
    "maskedSelect": of("a") { $0[$0 .> 0] }, "nonzero": of("a") { nonzero(($0 .> 0.5).cast(to: .float32)) },
    "slice": of("image") { $0[0..., 1..<3, strided(by: 2), strided(from: -3)] }, "sliceMixed": of("image") { $0[0, ..., 1..<5] },
    "sliceNew": of("a") { $0[0..., newAxis, 1, strided(from: 1, to: -1)] },
    "sliceReversed": of("a") { $0[0..., strided(by: -1)] }, "sliceTaken": of("image") { $0[0..., [3, 0], 2..<4] },
  ]

  static let windows: [String: Function] = [
    "conv": of("image", "kernel") { conv2d($0, weight: $1, stride: 2, padding: Extent2d(1, 2), groups: 2) },
    "convTranspose": of("image", "kernel") {
      convTranspose2d($0, weight: $1[..<4], stride: 2, padding: 1, outputPadding: 1, groups: 2)
    },
    "maxPool": of("image") { maxPool2d($0, kernel: 3, stride: 2, padding: 1, dilation: 2, ceilMode: true) },
    "averagePool": of("image") { averagePool2d($0, kernel: 3, stride: 2, padding: 1, ceilMode: true) },
    "adaptiveAverage": of("image") { adaptiveAveragePool2d($0, Extent2d(4, 3)) },
    "adaptiveMax": of("image") { adaptiveMaxPool2d($0, Extent2d(3, 7)) },
    "adaptiveEven": of("image") { adaptiveAveragePool2d($0, Extent2d(3, 7)) },
    "lpPool": of("image") { lpPool2d($0, p: 2, kernel: 2) }, "nearest": of("image") { interpolate($0, size: [9, 5]) },
    "nearestExact": of("image") { interpolate($0, size: [9, 5], mode: .nearestExact) },
    "bilinear": of("image") { interpolate($0, scale: [1.5], mode: .linear) },
    "bilinearAligned": of("image") { interpolate($0, size: [9, 5], mode: .linear, alignCorners: true) },
    "bicubic": of("image") { interpolate($0, size: [9, 11], mode: .cubic) },
    "attention": {
      scaledDotProductAttention(
        $0["query"]!, $0["key"]!, $0["value"]!, mask: transpose($0["key"]![..<1, ..<1, 0..., ..<3], -1, -2))
    },
    "attentionCausal": {
      scaledDotProductAttention(
        $0["query"]!, $0["key"]![0..., 0..., ..<3], $0["value"]![0..., 0..., ..<3], isCausal: true, scale: 0.2)
    },
  ]

  static let losses: [String: Function] = [
    "mse": of("a", "b") { mseLoss($0, $1) }, "l1": of("a", "b") { l1Loss($0, $1, reduction: .sum) },
    "smoothL1": of("a", "b") { smoothL1Loss($0, $1, beta: 0.7) },
    "huber": of("a", "b") { huberLoss($0, $1, delta: 0.6, reduction: .none) },
    "crossEntropy": of("scores", "classes") { crossEntropy($0, $1) },
    "crossEntropyWeighted": { crossEntropy($0["scores"]!, $0["classes"]!, weight: $0["weight"]!) },
    "crossEntropySmooth": of("scores", "classes") { crossEntropy($0, $1, labelSmoothing: 0.2) },
    "crossEntropyProbabilities": of("scores", "target") { crossEntropy($0, $1) },
    "nll": { nllLoss(logSoftmax($0["scores"]!), $0["classes"]!, weight: $0["weight"]!) },
    "bce": of("unit") { binaryCrossEntropy($0, flip($0, axes: [0])) },
    "bceLogits": of("a", "unit") { binaryCrossEntropyWithLogits($0, $1, positiveWeight: 2.5) },
    "kl": of("scores", "target") { klDivergence(logSoftmax($0), $1, reduction: .sum) },
  ]

  @Test(arguments: [elementwise, activations, reductions, movements, windows, losses])
  func equalsPyTorch(functions: [String: Function]) throws {
    let values = try Safetensors.read("\(Parity.committed)/functions.safetensors")
    let operands = Parity.part(values, "in.").sorted { $0.key < $1.key }
    for (name, function) in functions.sorted(by: { $0.key < $1.key }) {
      let wanted = try #require(values[name], "\(name)")
      let graph: Graph
      do {
        graph = try trace(operands.map { .like($0.value, name: $0.key) }) { tensors in
          [function(Dictionary(uniqueKeysWithValues: zip(operands.map(\.key), tensors)))]
        }
      } catch {
        Issue.record("\(name): \(error)")
        continue
      }
      for executor in Parity.executors {
        let result = try executor.run(graph, inputs: operands.map { .tensor($0.value) })[0].tensor
        let difference = try Parity.difference(try #require(result), wanted)
        #expect(difference <= 2e-5, "\(name): \(result?.type.description ?? "") for \(wanted.type) on \(type(of: executor))")
      }
    }
  }
}

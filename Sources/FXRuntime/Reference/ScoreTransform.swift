import FXCore
import Foundation

/// What classifiers and regressors do to the scores of a row last: `post_transform` of ONNX's domain `ai.onnx.ml`.
enum ScoreTransform: Sendable {
  case none, softmax, logistic, softmaxZero, probit

  init(_ name: String) throws {
    switch name {
    case "NONE": self = .none
    case "SOFTMAX": self = .softmax
    case "LOGISTIC": self = .logistic
    case "SOFTMAX_ZERO": self = .softmaxZero
    case "PROBIT": self = .probit
    default: throw KernelError.invalid("there is no post_transform \(name.quoted)")
    }
  }

  /// Transforms the scores of one row.
  ///
  /// A single score is left as it is but by `probit`: the models that exporters write for one target rely on what ONNX
  /// Runtime does.
  func apply(to scores: UnsafeMutableBufferPointer<Double>) {
    switch self {
    case .none: break
    case .probit: for index in scores.indices { scores[index] = ScoreTransform.probit(scores[index]) }
    case _ where scores.count < 2: break
    case .logistic: for index in scores.indices { scores[index] = ActivationFunctions.sigmoid(scores[index]) }
    case .softmax:
      let greatest = scores.max() ?? 0
      var sum = 0.0
      for index in scores.indices {
        scores[index] = exp(scores[index] - greatest)
        sum += scores[index]
      }
      for index in scores.indices { scores[index] /= sum }
    case .softmaxZero:
      // Zeros stand for classes that no one voted for, and stay zeros.
      let greatest = scores.max() ?? 0
      var sum = 0.0
      for index in scores.indices {
        scores[index] = abs(scores[index]) > 1e-7 || scores[index].isNaN ? exp(scores[index] - greatest) : 0
        sum += scores[index]
      }
      for index in scores.indices { scores[index] = sum == 0 ? 0.5 : scores[index] / sum }
    }
  }

  /// The scores of two classes of which one sum s decides.
  /// - Parameter isProbability: whether s is the probability of the second class; then the first gets 1 − s, else −s.
  func pair(_ s: Double, isProbability: Bool) -> (Double, Double) {
    switch self {
    case .none: return (isProbability ? 1 - s : -s, s)
    case .probit: return (ScoreTransform.probit(1 - s), ScoreTransform.probit(s))
    case .logistic, .softmax, .softmaxZero:
      var pair = [-s, s]
      pair.withUnsafeMutableBufferPointer { apply(to: $0) }
      return (pair[0], pair[1])
    }
  }

  /// √2 erf⁻¹(2x − 1), by Winitzki's formula with a = 0.147, as ONNX and ONNX Runtime have it.
  private static func probit(_ x: Double) -> Double {
    let y = 2 * x - 1
    let logarithm = log((1 - y) * (1 + y))
    let v = 2 / (Double.pi * 0.147) + logarithm / 2
    let root = ((v * v - logarithm / 0.147).squareRoot() - v).squareRoot()
    return 2.0.squareRoot() * (y < 0 ? -root : root)
  }
}

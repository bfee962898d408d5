import FXCore
import Foundation

extension KernelTable {
  mutating func addLocalNormalizations() {
    self[.lrn] = { $0.localResponse() }
  }
}

extension KernelRequest {
  fileprivate func localResponse() -> KernelChoice? {
    let x = shape(0)
    let size = self[LocalResponseNormalization.size]
    guard isAll(.float32), x.count >= 2, size > 0, results[0].elementCount > 0 else { return nil }
    let plane = x.dropFirst(2).reduce(1, *)
    let cost = Double(plane * min(size, x[1])) * ElementCost.simple + Double(plane) * ElementCost.library
    return .kernel(
      LocalResponseKernel(
        channels: x[1], plane: plane, before: min((size - 1) / 2, x[1]), behind: min(size - 1 - (size - 1) / 2, x[1]),
        alpha: self[LocalResponseNormalization.alpha] / Float(size), beta: self[LocalResponseNormalization.beta],
        bias: self[LocalResponseNormalization.bias],
        division: WorkDivision(x[0] * x[1], nanosecondsEach: cost, threads: threads)))
  }
}

/// `x ÷ (bias + α Σ x²)^β` over neighbouring channels of [n, c, ...].
private struct LocalResponseKernel: Kernel {
  let channels: Int
  let plane: Int
  /// How many channels before and behind its own a sum has.
  let before: Int
  let behind: Int
  /// Divided by the number of channels that a sum may have.
  let alpha: Float
  let beta: Float
  let bias: Float
  /// Of planes.
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { range, _ in
      for index in range {
        let channel = index % channels
        let image = x + (index - channel) * plane
        let (source, target) = (image + channel * plane, y + index * plane)
        for place in 0..<plane { target[place] = 0 }
        for other in max(channel - before, 0)...min(channel + behind, channels - 1) {
          let values = image + other * plane
          for place in 0..<plane { target[place] += values[place] * values[place] }
        }
        if beta == 0.75 {
          for place in 0..<plane {
            let root = (bias + alpha * target[place]).squareRoot()
            target[place] = source[place] / (root * root.squareRoot())
          }
        } else {
          for place in 0..<plane { target[place] = source[place] / pow(bias + alpha * target[place], beta) }
        }
      }
    }
  }
}

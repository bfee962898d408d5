import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addLoss() {
    self[.nllLoss] = { context in
      let input = try context.tensor(0)
      return [.tensor(try loss(context, input.numbers().doubles))]
    }
    self[.softmaxCrossEntropyLoss] = { context in
      let scores = try context.tensor(0)
      guard scores.shape.count >= 2 else { throw KernelError.invalid("\(scores.type) has no classes") }
      let logs = try logSoftmax(
        scores.numbers().doubles, classes: scores.shape[1], inner: Selection.count(Array(scores.shape[2...])))
      let results = [
        try loss(context, logs), try Tensor(scores.elementType, scores.shape, numbers: .floats(logs), saturating: false),
      ]
      return results.prefix(context.resultCount).map(RuntimeValue.tensor)
    }
  }
}

/// x − ln Σ eˣ over the classes of [n, classes, inner].
private func logSoftmax(_ x: [Double], classes: Int, inner: Int) -> [Double] {
  var result = x
  guard !x.isEmpty else { return result }
  for outer in 0..<x.count / (classes * inner) {
    for place in 0..<inner {
      let indices = (0..<classes).map { (outer * classes + $0) * inner + place }
      let largest = indices.reduce(-Double.infinity) { max($0, x[$1]) }
      let sum = indices.reduce(0) { $0 + exp(x[$1] - largest) }
      for index in indices { result[index] = x[index] - largest - log(sum) }
    }
  }
  return result
}

/// −weight × the log-probability of each target, reduced.
private func loss(_ context: ReferenceContext, _ logs: [Double]) throws -> Tensor {
  let (input, targets) = (try context.tensor(0), try context.tensor(1))
  let weights = try context.optionalTensor(2)?.numbers().doubles
  guard input.shape.count >= 2, targets.shape == [input.shape[0]] + input.shape[2...],
    weights == nil || weights?.count == input.shape[1]
  else { throw KernelError.invalid("targets \(targets.type) do not fit \(input.type)") }
  let (classes, inner) = (input.shape[1], try Selection.count(Array(input.shape[2...])))
  var losses: [Double] = []
  var total = 0.0
  for (index, target) in try targets.integers().enumerated() {
    if target == context[Loss.ignoreIndex] {
      losses.append(0)
      continue
    }
    guard target >= 0, target < classes else { throw KernelError.invalid("target \(target) is none of \(classes) classes") }
    let weight = weights?[target] ?? 1
    total += weight
    losses.append(-weight * logs[(index / inner * classes + target) * inner + index % inner])
  }
  switch context[Loss.reduction] {
  case "none": return try Tensor(input.elementType, targets.shape, numbers: .floats(losses), saturating: false)
  case "sum": return try Tensor(input.elementType, [], numbers: .floats([losses.reduce(0, +)]), saturating: false)
  default: return try Tensor(input.elementType, [], numbers: .floats([losses.reduce(0, +) / total]), saturating: false)
  }
}

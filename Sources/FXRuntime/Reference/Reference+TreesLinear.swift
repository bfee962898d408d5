import FXCore
import Foundation

/// Linear models and support vector machines.
extension ReferenceKernels {
  mutating func addLinearModels() {
    self[.linearClassifier] = { context in try linearClassifier(context) }
    self[.linearRegressor] = { context in
      let x = try FeatureRows(context.tensor(0))
      let targets = context[LinearModel.targets]
      let sums = try weightedSums(
        x, context[LinearModel.regressionCoefficients] ?? [], context[LinearModel.intercepts] ?? [], count: targets)
      let transform = try ScoreTransform(context[PostTransform.key])
      return [.tensor(try scores(sums, rows: x.count) { transform.apply(to: $1) })]
    }
    self[.svmClassifier] = { context in
      let model = try context.prepared { try SupportVectorMachine(classifier: context) }
      let labels = try ClassLabels(context.node.attributes, LinearModel.integerLabels, LinearModel.stringLabels)
      return try svmClassifier(context, model, labels)
    }
    self[.svmRegressor] = { context in
      let x = try FeatureRows(context.tensor(0))
      let model = try context.prepared { try SupportVectorMachine(regressor: context) }
      let isOneClass = context[SupportVectors.isOneClass]
      var values = try (0..<x.count).map { row in
        let sum = try model.value(x[row])
        return isOneClass ? (sum > 0 ? 1 : -1) : sum
      }
      let transform = try ScoreTransform(context[PostTransform.key])
      if !isOneClass {
        values.withUnsafeMutableBufferPointer { values in
          for row in values.indices { transform.apply(to: UnsafeMutableBufferPointer(rebasing: values[row..<row + 1])) }
        }
      }
      return [.tensor(try Tensor(.float32, [x.count, 1], numbers: .floats(values)))]
    }
  }
}

/// Σ coefficient × feature + intercept for `count` rows of coefficients: [rows, count].
private func weightedSums(
  _ x: FeatureRows, _ coefficients: [Float], _ intercepts: [Float], count: Int
) throws -> [Double] {
  guard count > 0, try Selection.product(count, x.width) == coefficients.count else {
    throw KernelError.invalid("\(coefficients.count) coefficients are not \(count) rows for \(x.width) features")
  }
  guard intercepts.isEmpty || intercepts.count == count else {
    throw KernelError.invalid("\(intercepts.count) intercepts for \(count) sums")
  }
  let weights = coefficients.map(Double.init)
  var sums: [Double] = []
  sums.reserveCapacity(try Selection.count([x.count, count]))
  x.elements.withUnsafeBufferPointer { x_ in
    weights.withUnsafeBufferPointer { weights in
      for row in 0..<x.count {
        for target in 0..<count {
          var sum = intercepts.isEmpty ? 0 : Double(intercepts[target])
          for feature in 0..<x.width { sum += x_[row * x.width + feature] * weights[target * x.width + feature] }
          sums.append(sum)
        }
      }
    }
  }
  return sums
}

/// The scores as a tensor [rows, …] after `change` has been applied to each row.
private func scores(
  _ sums: [Double], rows: Int, _ change: (_ row: Int, UnsafeMutableBufferPointer<Double>) -> Void
) throws -> Tensor {
  var sums = sums
  let width = rows == 0 ? 0 : sums.count / rows
  sums.withUnsafeMutableBufferPointer { sums in
    for row in 0..<rows { change(row, UnsafeMutableBufferPointer(rebasing: sums[row * width..<(row + 1) * width])) }
  }
  return try Tensor(.float32, [rows, width], numbers: .floats(sums))
}

/// One sum per class chooses the greatest; a single sum chooses the second of two labels above 0, and else the first.
private func linearClassifier(_ context: ReferenceContext) throws -> [RuntimeValue] {
  let x = try FeatureRows(context.tensor(0))
  var labels = try ClassLabels(context.node.attributes, LinearModel.integerLabels, LinearModel.stringLabels)
  let (coefficients, intercepts) = (context[LinearModel.coefficients], context[LinearModel.intercepts] ?? [])
  let count = intercepts.isEmpty ? coefficients.count / max(x.width, 1) : intercepts.count
  let sums = try weightedSums(x, coefficients, intercepts, count: count)
  let transform = try ScoreTransform(context[PostTransform.key])
  guard count > 1 else {
    let isPair = labels.count == 2
    switch labels {
    case .integers(let names) where names.count < 2: labels = .integers([0, names.first ?? 1])
    case .strings(let names) where names.count < 2: labels = .strings(["", names.first ?? ""])
    case _ where isPair: break
    default: throw KernelError.invalid("one sum does not tell \(labels.count) classes apart")
    }
    let label = try labels.tensor(sums.map { $0 > 0 ? 1 : 0 })
    guard isPair else { return [.tensor(label), .tensor(try scores(sums, rows: x.count) { transform.apply(to: $1) })] }
    let pairs = sums.flatMap { sum in
      let pair = transform.pair(sum, isProbability: true)
      return [pair.0, pair.1]
    }
    return [.tensor(label), .tensor(try Tensor(.float32, [x.count, 2], numbers: .floats(pairs)))]
  }
  if labels.count == 0 { labels = .integers(Array(0..<count)) }
  guard labels.count >= count else { throw KernelError.invalid("\(labels.count) labels for \(count) classes") }
  let chosen = (0..<x.count).map { sums[$0 * count..<($0 + 1) * count].greatestPlace }
  return [.tensor(try labels.tensor(chosen)), .tensor(try scores(sums, rows: x.count) { transform.apply(to: $1) })]
}

/// With support vectors each pair of classes has a sum, whose sign is a vote; the class with the most votes is chosen, and
/// the scores are the sums, or the probabilities that follow from them. Two classes have one sum s: −s and s.
/// Without support vectors each class has a sum, and the greatest chooses.
private func svmClassifier(
  _ context: ReferenceContext, _ model: SupportVectorMachine, _ labels: ClassLabels
) throws -> [RuntimeValue] {
  let x = try FeatureRows(context.tensor(0))
  let transform = try ScoreTransform(context[PostTransform.key])
  let count = labels.count
  var chosen: [Int] = []
  var rows: [[Double]] = []
  for row in 0..<x.count {
    let sums = try model.sums(x[row])
    if model.vectorCount == 0 {
      chosen.append(sums.greatestPlace)
      rows.append(sums)
      continue
    }
    chosen.append(model.votes(sums).greatestPlace)
    if let probabilities = model.probabilities(sums) {
      rows.append(probabilities)
    } else if count > 2 {
      rows.append(sums)
    } else {
      let pair = transform.pair(sums.first ?? 0, isProbability: false)
      rows.append([pair.0, pair.1])
    }
  }
  let isPair = model.vectorCount > 0 && !model.hasProbabilities && count <= 2
  let width = isPair ? 2 : model.vectorCount > 0 && !model.hasProbabilities ? count * (count - 1) / 2 : count
  let label = try labels.tensor(chosen)
  guard !rows.isEmpty else { return [.tensor(label), .tensor(try Tensor(zeros: .float32, [0, width]))] }
  return [
    .tensor(label), .tensor(try scores(rows.flatMap(\.self), rows: x.count) { if !isPair { transform.apply(to: $1) } }),
  ]
}

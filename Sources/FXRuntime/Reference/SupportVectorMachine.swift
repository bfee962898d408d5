import FXCore
import Foundation

/// A support vector machine, checked when it is made. Source: LIBSVM, whose models ONNX's operators hold.
struct SupportVectorMachine: Sendable {
  private enum Kernel: Sendable { case linear, polynomial, radial, sigmoid }
  private let kernel: Kernel
  private let gamma, constant, degree: Double
  /// [vectors, features], row by row.
  private let vectors: [Double]
  let vectorCount: Int
  let width: Int
  private let coefficients: [Double]
  private let rho: [Double]
  /// Where the vectors of each class start; one more at the end.
  private let starts: [Int]
  private let a, b: [Double]
  private let classCount: Int

  var hasProbabilities: Bool { !a.isEmpty }

  private init(_ context: ReferenceContext, vectorCount: Int, starts: [Int], classCount: Int) throws {
    let numbers = { (key: AttributeKey<[Float]?>) in (context[key] ?? []).map(Double.init) }
    let parameters = numbers(SupportVectors.kernelParameters)
    guard parameters.isEmpty || parameters.count == 3 else {
      throw KernelError.invalid("kernel_params has \(parameters.count) elements, not 3")
    }
    (gamma, constant, degree) = parameters.isEmpty ? (0, 0, 0) : (parameters[0], parameters[1], parameters[2])
    coefficients = numbers(SupportVectors.coefficients)
    rho = numbers(SupportVectors.rho)
    (self.vectorCount, self.starts, self.classCount) = (vectorCount, starts, classCount)
    let isClassifier = !starts.isEmpty
    (a, b) =
      isClassifier && vectorCount > 0
      ? (numbers(SupportVectors.probabilityA), numbers(SupportVectors.probabilityB)) : ([], [])
    if vectorCount > 0 {
      vectors = numbers(SupportVectors.vectors)
      guard vectors.count % vectorCount == 0 else {
        throw KernelError.invalid("\(vectors.count) elements are not \(vectorCount) support vectors")
      }
      width = vectors.count / vectorCount
      switch context[SupportVectors.kernelType] {
      case "LINEAR": kernel = .linear
      case "POLY": kernel = .polynomial
      case "RBF": kernel = .radial
      case "SIGMOID": kernel = .sigmoid
      case let other: throw KernelError.invalid("there is no kernel_type \(other.quoted)")
      }
    } else {
      guard coefficients.count % classCount == 0 else {
        throw KernelError.invalid("\(coefficients.count) coefficients are not \(classCount) rows")
      }
      (vectors, width, kernel) = ([], coefficients.count / classCount, .linear)
    }
    guard coefficients.count >= (isClassifier ? (classCount - 1) * vectorCount : vectorCount) else {
      throw KernelError.invalid("\(coefficients.count) coefficients are too few for \(vectorCount) support vectors")
    }
    let pairs = isClassifier && vectorCount > 0 ? classCount * (classCount - 1) / 2 : 1
    guard rho.isEmpty || rho.count >= pairs, a.count == b.count, a.isEmpty || a.count >= pairs else {
      throw KernelError.invalid("rho, prob_a or prob_b has too few elements for \(pairs) sums")
    }
  }

  init(regressor context: ReferenceContext) throws {
    let count = context[SupportVectors.count]
    guard count >= 0, count <= (context[SupportVectors.coefficients] ?? []).count else {
      throw KernelError.invalid("there are not \(count) support vectors with a coefficient each")
    }
    try self.init(context, vectorCount: count, starts: [], classCount: 1)
  }

  init(classifier context: ReferenceContext) throws {
    let labels = try ClassLabels(context.node.attributes, LinearModel.integerLabels, LinearModel.stringLabels)
    let counts = context[SupportVectors.vectorsPerClass] ?? []
    guard labels.count > 0, labels.count < 1 << 16 else { throw KernelError.invalid("\(labels.count) class labels") }
    var starts = [0]
    for count in counts {
      guard count >= 0, count < Int32.max, starts[starts.count - 1] < Int32.max else {
        throw KernelError.invalid("a class with \(count) support vectors")
      }
      starts.append(starts[starts.count - 1] + count)
    }
    let total = starts[starts.count - 1]
    guard total == 0 || counts.count == labels.count else {
      throw KernelError.invalid("vectors_per_class has \(counts.count) elements for \(labels.count) classes")
    }
    try self.init(context, vectorCount: total, starts: starts, classCount: labels.count)
  }

  // MARK: Sums

  /// The kernel of a row and a vector.
  private func value(_ x: ArraySlice<Double>, _ vector: ArraySlice<Double>) -> Double {
    if kernel == .radial { return exp(-gamma * zip(x, vector).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }) }
    let product = zip(x, vector).reduce(0) { $0 + $1.0 * $1.1 }
    switch kernel {
    case .polynomial: return pow(gamma * product + constant, degree)
    case .sigmoid: return tanh(gamma * product + constant)
    case .linear, .radial: return product
    }
  }

  private func kernels(_ x: ArraySlice<Double>) throws -> [Double] {
    guard x.count == width else { throw KernelError.invalid("rows have \(x.count) features, the model \(width)") }
    return (0..<vectorCount).map { value(x, vectors[$0 * width..<($0 + 1) * width]) }
  }

  /// The value of a regressor.
  func value(_ x: ArraySlice<Double>) throws -> Double {
    guard vectorCount > 0 else { return try sums(x)[0] }
    return zip(try kernels(x), coefficients).reduce(rho.first ?? 0) { $0 + $1.0 * $1.1 }
  }

  /// With vectors one sum per pair of classes, (0, 1), (0, 2), …, (1, 2), …; without one per class.
  func sums(_ x: ArraySlice<Double>) throws -> [Double] {
    let kernels = try kernels(x)
    guard vectorCount > 0 else {
      return (0..<classCount).map { value(x, coefficients[$0 * width..<($0 + 1) * width]) + (rho.first ?? 0) }
    }
    var sums: [Double] = []
    for i in 0..<classCount {
      for j in i + 1..<classCount {
        var sum = rho.isEmpty ? 0 : rho[sums.count]
        for at in starts[i]..<starts[i + 1] { sum += coefficients[(j - 1) * vectorCount + at] * kernels[at] }
        for at in starts[j]..<starts[j + 1] { sum += coefficients[i * vectorCount + at] * kernels[at] }
        sums.append(sum)
      }
    }
    return sums
  }

  /// How many pairs each class wins.
  func votes(_ sums: [Double]) -> [Double] {
    var votes = Array(repeating: 0.0, count: classCount)
    var pair = 0
    for i in 0..<classCount {
      for j in i + 1..<classCount {
        votes[sums[pair] > 0 ? i : j] += 1
        pair += 1
      }
    }
    return votes
  }

  // MARK: Probabilities

  /// The probabilities of the classes; `nil` if the model was not trained for them.
  ///
  /// Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise coupling", 2004, algorithm 2, with
  /// LIBSVM's bounds on the pairs' probabilities, on the error, and on the number of rounds.
  func probabilities(_ sums: [Double]) -> [Double]? {
    guard hasProbabilities else { return nil }
    let k = classCount
    var r = Array(repeating: 0.0, count: k * k)
    var pair = 0
    for i in 0..<k {
      for j in i + 1..<k {
        let probability = 1 - ActivationFunctions.sigmoid(sums[pair] * a[pair] + b[pair])
        r[i * k + j] = min(max(probability, 1e-7), 1 - 1e-7)
        r[j * k + i] = 1 - r[i * k + j]
        pair += 1
      }
    }
    var q = Array(repeating: 0.0, count: k * k)
    for i in 0..<k {
      for j in 0..<k where j != i {
        q[i * k + i] += r[j * k + i] * r[j * k + i]
        q[i * k + j] = -r[j * k + i] * r[i * k + j]
      }
    }
    var p = Array(repeating: 1 / Double(k), count: k)
    for _ in 0..<100 {
      var qp = (0..<k).map { i in (0..<k).reduce(0) { $0 + q[i * k + $1] * p[$1] } }
      var pqp = zip(p, qp).reduce(0) { $0 + $1.0 * $1.1 }
      if qp.allSatisfy({ abs($0 - pqp) < 0.005 / Double(k) }) { break }
      for i in 0..<k {
        let step = (pqp - qp[i]) / q[i * k + i]
        p[i] += step
        pqp = (pqp + step * (step * q[i * k + i] + 2 * qp[i])) / (1 + step) / (1 + step)
        for j in 0..<k {
          qp[j] = (qp[j] + step * q[i * k + j]) / (1 + step)
          p[j] /= 1 + step
        }
      }
    }
    return p
  }
}

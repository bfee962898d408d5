import FXCore

/// What can be wrong with a quantization, as facts; the wording is in `description`.
public enum QuantizationError: Error, Sendable, Equatable {
  /// Scales, zero points or bits that make no quantization.
  case params(ParamsProblem)
  /// Data to calibrate on that is no use: the input is named.
  case calibration(CalibrationProblem)
  /// An annotation that the graph's metadata holds and nobody can read.
  case annotation(node: String, text: String)
  /// A plan that does not fit the graph.
  case plan(node: String, op: String, PlanProblem)
  /// Nothing was observed of a value that is to be quantized.
  case notObserved(String)
  /// An option without a meaning for the scheme.
  case option(String)
}

/// What is wrong with scales and zero points.
public enum ParamsProblem: Sendable, Equatable {
  /// An element type that is no integer type of 2 to 16 bits.
  case elementType(ElementType)
  /// This many bits, where 2, 4, 8 or 16 are possible.
  case bits(Int)
  /// No scales, or another number of zero points.
  case counts(scales: Int, zeroPoints: Int)
  /// This many scales for a whole tensor, which has one.
  case scalesOfTensor(Int)
  /// A scale that is not positive and finite.
  case scale(Float)
  /// A range to cover that is not finite.
  case range(ClosedRange<Float>)
  /// A zero point out of the element type's range.
  case zeroPoint(Int, ElementType)
  /// A zero point that is not the symmetric scheme's: 0, or the middle of unsigned integers of `bits`.
  case notSymmetric(Int, bits: Int)
  /// A negative axis.
  case axis(Int)
  /// Blocks of this many elements, which is not positive.
  case blockSize(Int)
  /// The scales do not go with a tensor of this shape: another number of channels or blocks, or no such axis.
  case doesNotFit(scales: Int, [Int])
}

/// What is wrong with the data to calibrate on. Samples are counted from 0.
public enum CalibrationProblem: Sendable, Equatable {
  /// There is none; the inputs of the graph are named.
  case noSamples(inputs: [String])
  /// Sample `sample` has `actual` tensors, where the graph has the inputs `expected`.
  case inputCount(sample: Int, expected: [String], actual: Int)
  /// An element type or shape other than the graph's.
  case inputType(input: String, sample: Int, expected: ValueType, actual: ValueType)
  /// A tensor without elements.
  case empty(input: String, sample: Int)
  /// Numbers that are not finite: how many of how many.
  case notFinite(input: String, sample: Int, count: Int, of: Int)
  /// One number in all samples.
  case constant(input: String, Double)
}

/// What of a plan does not fit the node it is for.
public enum PlanProblem: Sendable, Equatable {
  /// The operand at this index is no `float32` tensor, is not computed in the body where an activation is meant, or is a bias
  /// of operands that are not quantized.
  case operand(Int)
  /// An element type that is no integer type of 2 to 16 bits.
  case elementType(ElementType)
  /// Weights that are computed, or to which nothing is bound.
  case weight(Int)
  /// Scales along an axis that weights of `rank` axes do not have.
  case axis(Int, rank: Int)
  /// Weights that hold NaN or infinite numbers, for which there is no scale.
  case notFinite(parameter: String)
}

extension QuantizationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .params(let problem): problem.description
    case .calibration(let problem): problem.description
    case .annotation(let node, let text): "the annotation of node '\(node)' does not read: '\(text)'"
    case .plan(let node, let op, let problem): "node '\(node)' (\(op)): \(problem.description)"
    case .notObserved(let name): "nothing was observed of '\(name)': calibrate on the graph that is quantized"
    case .option(let reason): reason
    }
  }
}

extension ParamsProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .elementType(let type): "\(type.rawValue) is no integer type of 2 to 16 bits"
    case .bits(let bits): "\(bits) bits: one of 2, 4, 8 and 16 was expected"
    case .counts(let scales, let zeroPoints): "\(scales) scales with \(zeroPoints) zero points"
    case .scalesOfTensor(let count): "\(count) scales for a whole tensor, which has one"
    case .scale(let scale): "the scale \(scale) is not positive and finite"
    case .range(let range): "the range \(range) is not finite"
    case .zeroPoint(let zeroPoint, let type): "the zero point \(zeroPoint) is no \(type.rawValue)"
    case .notSymmetric(let zeroPoint, let bits):
      "the zero point \(zeroPoint) is not that of the symmetric scheme: 0, or \(1 << (bits - 1)) for unsigned integers"
    case .axis(let axis): "the axis \(axis) is negative"
    case .blockSize(let size): "blocks of \(size) elements"
    case .doesNotFit(let scales, let shape): "\(scales) scales do not fit a tensor of shape \(shape)"
    }
  }
}

extension CalibrationProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noSamples(let inputs): "no calibration data for \(inputs.map { "input '\($0)'" }.joined(separator: ", "))"
    case .inputCount(let sample, let expected, let actual):
      "calibration sample \(sample) has \(actual) values, the graph has \(expected.count) inputs: "
        + expected.map { "'\($0)'" }.joined(separator: ", ")
    case .inputType(let input, let sample, let expected, let actual):
      "calibration sample \(sample) of input '\(input)' is \(actual), the graph takes \(expected)"
    case .empty(let input, let sample): "calibration sample \(sample) of input '\(input)' has no elements"
    case .notFinite(let input, let sample, let count, let total):
      "calibration sample \(sample) of input '\(input)' holds \(count) of \(total) numbers that are NaN or infinite"
    case .constant(let input, let number):
      "input '\(input)' is \(number) everywhere in the calibration data, which says nothing of ranges; "
        + "allow constant inputs if that is meant"
    }
  }
}

extension PlanProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .operand(let index): "the plan quantizes operand \(index), which is no float32 tensor of the node"
    case .elementType(let type): "\(type.rawValue) is no integer type of 2 to 16 bits"
    case .weight(let index): "the plan quantizes operand \(index) as weights, which are not known"
    case .axis(let axis, let rank): "the plan has scales along axis \(axis) of weights with \(rank) axes"
    case .notFinite(let name): "its weights '\(name)' hold numbers that are NaN or infinite"
    }
  }
}

import FXCore
import FXRuntime

/// A language model that takes one token and a cache, and gives scores of the next token and the cache grown by one.
///
/// Inputs whose names hold `mask` and `position` are what these say; the first other input of integers takes the token. The
/// rest are the cache, in the order of the outputs after the scores.
struct Decoder {
  private let model: CompiledGraph
  private let token: Int
  private let mask: Int?
  private let position: Int?
  private let cache: [Int]
  private let types: [TensorType]
  /// Values of the inputs, the cache of the latest step among them.
  private var inputs: [RuntimeValue]
  private var results: [RuntimeValue] = []
  private(set) var length = 0

  /// - Throws: `CheckFailed` if inputs and outputs are not those of such a model.
  init(_ graph: Graph, _ backend: CPUBackend) throws {
    let names = graph.inputs.map { graph.name(of: $0).lowercased() }
    let types = try graph.inputs.map { input in
      guard let type = try graph.type(of: input).tensorType else {
        throw CheckFailed(message: "input '\(graph.name(of: input))' is no tensor: this is no model that decodes with a cache")
      }
      return type
    }
    let mask = names.firstIndex { $0.contains("mask") }, position = names.firstIndex { $0.contains("position") }
    let others = names.indices.filter { $0 != mask && $0 != position }
    guard let token = others.first(where: { [.int64, .int32].contains(types[$0].elementType) }) else {
      throw CheckFailed(message: "no input takes a token: this is no model that decodes with a cache")
    }
    let cache = others.filter { $0 != token }
    guard !cache.isEmpty, graph.outputs.count == cache.count + 1 else {
      throw CheckFailed(
        message: "\(cache.count) inputs and \(max(0, graph.outputs.count - 1)) outputs after the scores might be a cache: "
          + "this is no model that decodes with a cache")
    }
    (self.token, self.mask, self.position, self.cache, self.types) = (token, mask, position, cache, types)
    model = try backend.compiled(graph)
    inputs = []
    inputs = try types.map { type in
      // One sequence, of which nothing is there yet.
      let sizes = (type.shape ?? []).enumerated().map { axis, size in size.size ?? (axis == 0 ? 1 : 0) }
      return .tensor(try Tensor(zeros: type.elementType, sizes))
    }
  }

  /// The token that scores best after `next`.
  mutating func step(_ next: Int) throws -> Int {
    inputs[token] = .tensor(try whole(next, [1, 1], token))
    if let position { inputs[position] = .tensor(try whole(length, [1, 1], position)) }
    if let mask { inputs[mask] = .tensor(try Tensor(types[mask].elementType, [1, length + 1], repeating: 1)) }
    try model.run(inputs, into: &results)
    for (place, input) in cache.enumerated() { inputs[input] = results[place + 1] }
    length += 1
    guard let scores = try results[0].tensor?.numbers().doubles, let width = results[0].tensor?.shape.last, width > 0,
      let best = scores.suffix(width).enumerated().max(by: { $0.element < $1.element })
    else { throw CheckFailed(message: "the first output holds no scores of tokens") }
    return best.offset
  }

  private func whole(_ value: Int, _ shape: [Int], _ input: Int) throws -> Tensor {
    try Tensor(types[input].elementType, shape, repeating: value)
  }
}

extension Tensor {
  fileprivate init(_ type: ElementType, _ shape: [Int], repeating value: Int) throws {
    let count = shape.reduce(1, *)
    try self.init(type, shape, numbers: .signed(Array(repeating: Int64(value), count: count)))
  }
}

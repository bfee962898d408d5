internal import COnnx
import FXCore

extension GraphReader {
  /// The parameter that a `Constant` node stands for.
  func constant(_ attributes: Attributes, _ name: String) throws(OnnxError) -> Operand {
    guard let entry = attributes.first(where: { $0.name.hasPrefix("value") || $0.name == "sparse_value" }) else {
      throw OnnxError(.missingAttribute("value"))
    }
    let tensor: Tensor
    switch entry.value {
    case .tensor(let value): tensor = value
    case .int(let value): tensor = Tensor(Int64(value))
    case .ints(let values): tensor = Tensor(vector: values.map(Int64.init))
    case .float(let value): tensor = Tensor(value)
    case .floats(let values): tensor = Tensor(vector: values)
    case .string(let value): tensor = try strings([], [value], name)
    case .strings(let values): tensor = try strings([values.count], values, name)
    default: throw OnnxError(.attributeKind(entry.name, expected: "a constant"))
    }
    return .parameter(graph.addConstant(tensor, name: name.isEmpty ? "constant" : frame.prefix + name))
  }

  private func strings(_ shape: [Int], _ strings: [String], _ name: String) throws(OnnxError) -> Tensor {
    do {
      return try Tensor(shape, strings: strings)
    } catch {
      throw OnnxError(.tensor(name, error))
    }
  }
}

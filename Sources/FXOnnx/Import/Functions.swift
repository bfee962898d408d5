internal import COnnx
import FXCore

/// The functions that a model defines.
struct FunctionTable {
  struct Key: Hashable {
    let domain: String
    let name: String
    let overload: String
  }
  /// Characters that the names of calls put before a label.
  static let prefixLimit = 256
  private var functions: [Key: UnsafeMutablePointer<FunctionProto>] = [:]

  init(_ messages: Messages<FunctionProto>) {
    for message in messages {
      let key = Key(
        domain: GraphReader.normalized(text(message.pointee.domain)), name: text(message.pointee.name),
        overload: text(message.pointee.overload))
      functions[key] = message
    }
  }

  subscript(key: Key) -> UnsafeMutablePointer<FunctionProto>? { functions[key] }
}

extension GraphReader {
  /// Puts a function's nodes in the place of a call. Labels inside are the call's name, `/`, and the function's.
  func inline(
    _ function: FunctionProto, _ key: FunctionTable.Key, _ entry: NodeEntry, _ operands: [Operand]
  ) throws(OnnxError) -> [Operand] {
    guard !activeFunctions.contains(key) else { throw OnnxError(.recursiveFunction(key.name)) }
    let formals = texts(function.input, function.n_input)
    guard operands.count <= formals.count else {
      throw OnnxError(.operandCount(operands.count, allowed: 0...formals.count))
    }
    var opsets = frame.opsets
    for opset in function.opsets {
      let (domain, version) = try options.operatorSet(opset)
      opsets[domain] = version
    }
    var arguments: [String: UnsafeMutablePointer<AttributeProto>] = [:]
    for attribute in function.defaults { arguments[text(attribute.pointee.name)] = attribute }
    for attribute in entry.message.pointee.attributes {
      let name = text(attribute.pointee.name)
      let reference = text(attribute.pointee.ref_attr_name)
      // A call inside a function hands on what its own call was given.
      arguments[name] = reference.isEmpty ? attribute : frame.arguments?[reference] ?? arguments[name]
    }
    let label = text(entry.message.pointee.name)
    let base = label.isEmpty ? entry.outputs.first { !$0.isEmpty } ?? key.name : label
    // Labels inside begin with the call's: long ones would take more memory than the model.
    let isShort = frame.prefix.utf8.count + base.utf8.count < FunctionTable.prefixLimit
    try enter(
      Frame(
        region: frame.region, prefix: isShort ? frame.prefix + base + "/" : frame.prefix, path: frame.path + [base],
        opsets: opsets,
        arguments: arguments))
    activeFunctions.append(key)
    defer {
      frames.removeLast()
      activeFunctions.removeLast()
    }
    for info in Messages<ValueInfoProto>(function.value_info, function.n_value_info) {
      frame.infos[text(info.pointee.name)] = info
    }
    for (index, name) in formals.enumerated() {
      try define(name, index < operands.count ? operands[index] : .none)
    }
    let outputs = texts(function.output, function.n_output)
    let returned = Set(outputs)
    for inner in try NodeOrder.entries(function.nodes) {
      do throws(OnnxError) {
        // Values that the function returns take the names that the call has for them.
        try bind(inner.outputs, try read(inner), unlabelled: returned)
      } catch {
        throw error.at(node: place(of: inner))
      }
    }
    var results: [Operand] = []
    for name in outputs { results.append(try resolve(name)) }
    return results
  }
}

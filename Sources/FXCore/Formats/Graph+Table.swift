extension Graph {
  /// A table with a row per input, call and output, in the style of `torch.fx`: what it is, its name, what it calls,
  /// its operands and attributes, and its type. Nodes inside regions are indented below their owner. O(nodes).
  public var tabularText: String {
    var rows = [["opcode", "name", "target", "args", "type"]]
    for value in inputs { rows.append(["input", nameText(value), nameText(value), "()", typeText(value)]) }
    appendRows(to: &rows)
    for (operand, name) in zip(outputs, outputNames) {
      rows.append(["output", name.nameText, "output", "(\(operandText(operand)))", type(of: operand).description])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    func line(_ row: [String]) -> String {
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return ([rows[0], rule] + rows.dropFirst()).map(line).map { $0.trimmedEnd + "\n" }.joined()
  }

  /// Prints `tabularText`.
  public func printTabular() { print(tabularText, terminator: "") }

  private func appendRows(to rows: inout [[String]]) {
    var pending: [(node: NodeID?, depth: Int)] = [(regions[body].first, 0)]
    while let (node, depth) = pending.popLast() {
      guard let node else { continue }
      let record = nodes[node]
      let attributes = record.attributes.differing(from: record.op.schema?.defaultAttributes)
        .map { "\($0.name)=\(attributeText($0.value))" }
      let arguments = record.operands.map(operandText) + attributes
      let names = record.results.isEmpty ? [name(of: node).nameText] : record.results.map(nameText)
      rows.append([
        String(repeating: "  ", count: min(depth, 40)) + "call", names.joined(separator: ", "), record.op.description,
        "(" + arguments.joined(separator: ", ") + ")", record.results.map(typeText).joined(separator: ", "),
      ])
      pending.append((record.next, depth))
      for region in record.regions.reversed() { pending.append((regions[region].first, depth + 1)) }
    }
  }

  private func nameText(_ value: ValueID) -> String { name(of: value).nameText }

  private func typeText(_ value: ValueID) -> String { values[value].type.description }

  private func operandText(_ operand: Operand) -> String {
    switch operand {
    case .value(let value): "%" + nameText(value)
    case .parameter: "@" + text(of: operand).nameText
    case .literal, .none: text(of: operand)
    }
  }

  private func attributeText(_ value: AttributeValue) -> String {
    switch value {
    case .bool(let x): String(x)
    case .int(let x): String(x)
    case .float(let x): x.exactText
    case .string(let x): x.quoted
    case .ints(let x): x.description
    case .floats(let x): "[" + x.map(\.exactText).joined(separator: ", ") + "]"
    case .strings(let x): "[" + x.map(\.quoted).joined(separator: ", ") + "]"
    case .elementType(let x): x.rawValue
    case .type(let x): x.description
    case .types(let x): "[" + x.map(\.description).joined(separator: ", ") + "]"
    case .tensor(let x): x.type.description
    case .tensors(let x): "[" + x.map(\.type.description).joined(separator: ", ") + "]"
    }
  }
}

extension String {
  /// Without spaces at the end.
  fileprivate var trimmedEnd: String {
    var text = self
    while text.utf8.last == UInt8(ascii: " ") { text.removeLast() }
    return text
  }
}

extension ModelMutation {
  static let graphSteps: [Step] = [
    Step("output changed", 4) { mutation in
      let name = mutation.random.pick(mutation.valueNames() + ["missing", ""])
      return mutation.edit(.graph) { graph, random in
        let positions = graph.positions(12)
        switch random.below(positions.isEmpty ? 1 : 3) {
        case 0: graph.append(12, .message(WireMessage(.valueInfo).appending(1, .text(name))))
        case 1: graph.fields.remove(at: random.pick(positions))
        default: graph.fields[random.pick(positions)].content = .message(WireMessage(.valueInfo).appending(1, .text(name)))
        }
      }
    },
    Step("initializer became an input", 3) { mutation in
      mutation.edit(.graph) { graph, random in
        let positions = graph.positions(5)
        guard !positions.isEmpty else { return }
        let place = random.pick(positions)
        guard case .message(let tensor) = graph.fields[place].content else { return }
        var type = WireMessage(.tensorType).appending(1, .integer(tensor.integer(2) ?? 1))
        if random.oneIn(2) { type.append(2, .message(WireMessage(.shape).appending(1, .message(WireMessage(.dimension))))) }
        let info = WireMessage(.valueInfo).appending(1, .text(tensor.text(8)))
          .appending(2, .message(WireMessage(.type).appending(1, .message(type))))
        graph.fields[place] = WireField(11, .message(info))
      }
    },
    Step("input became an initializer", 5) { mutation in
      mutation.edit(.graph) { graph, random in
        let positions = graph.positions(11)
        guard !positions.isEmpty else { return }
        let place = random.pick(positions)
        guard case .message(let info) = graph.fields[place].content else { return }
        graph.fields[place] = WireField(5, .message(ModelMutation.tensor(for: info, &random)))
      }
    },
    Step("subgraph moved to another node", 3) { mutation in
      guard
        let attribute = mutation.model.all(.attribute).filter({ !$0.positions(6).isEmpty }).randomElement(using: &mutation.random)
      else { return false }
      return mutation.edit(.node) { node, _ in node.append(5, .message(attribute)) }
    },
    Step("subgraph of another model", 3) { mutation in
      guard !mutation.vocabulary.subgraphs.isEmpty else { return false }
      let graph = mutation.random.pick(mutation.vocabulary.subgraphs)
      return mutation.edit(.attribute) { attribute, random in
        attribute.set(20, .integer(5))
        attribute.set(6, .message(graph))
        if random.oneIn(2) { attribute.set(1, .text(random.pick(["body", "then_branch", "else_branch"]))) }
      }
    },
    Step("graph nested in itself", 2) { mutation in
      guard let graph = mutation.find(.graph), graph.size < 8192 else { return false }
      return mutation.edit(.attribute) { attribute, random in
        attribute.set(20, .integer(5))
        attribute.set(6, .message(graph))
        attribute.set(1, .text(random.pick(["body", "then_branch", "else_branch"])))
      }
    },
    Step("nodes wrapped in branches", 3) { mutation in
      let condition = mutation.random.pick(mutation.valueNames())
      return mutation.edit(.graph) { graph, random in
        let depth = random.oneIn(4) ? 1 + random.below(45) : 1
        ModelMutation.wrap(&graph, condition: condition, depth: depth)
      }
    },
    Step("node wrapped in a loop", 4) { mutation in
      guard let trips = mutation.model.all(.tensor).first(where: { $0.integer(2) == 7 }) else { return false }
      var count = trips
      for number in [1, 7, 8, 9] { count.remove(number) }
      count.append(8, .text("trips"))
      count.append(7, .packed([UInt64(bitPattern: mutation.random.integer())]))
      return mutation.edit(.graph) { graph, random in
        guard let place = graph.positions(1).randomElement(using: &random),
          case .message(let node) = graph.fields[place].content, let result = node.texts(2).first
        else { return }
        var body = WireMessage(.graph).appending(2, .text("body"))
        for name in ["iteration", "going"] { body.append(11, .message(WireMessage(.valueInfo).appending(1, .text(name)))) }
        body.append(1, .message(node))
        for name in ["going", result] { body.append(12, .message(WireMessage(.valueInfo).appending(1, .text(name)))) }
        let attribute = WireMessage(.attribute).appending(1, .text("body")).appending(20, .integer(5)).appending(
          6, .message(body))
        var loop = WireMessage(.node).appending(4, .text("Loop"))
        loop.append(1, .text("trips"))
        loop.append(1, .text(""))
        loop.append(2, .text(random.oneIn(2) ? result : "scanned"))
        loop.append(5, .message(attribute))
        graph.fields[place] = WireField(1, .message(loop))
        graph.fields.insert(WireField(5, .message(count)), at: 0)
      }
    },
    Step("name of another value", 2) { mutation in
      let name = mutation.random.pick(mutation.valueNames())
      let kind: MessageKind = mutation.random.oneIn(2) ? .valueInfo : .tensor
      return mutation.edit(kind) { message, _ in message.set(kind == .tensor ? 8 : 1, .text(name)) }
    },
  ]

  /// A tensor of zeros, ones or other numbers of the type that an input has.
  private static func tensor(for info: WireMessage, _ random: inout RandomSource) -> WireMessage {
    let type = info.messages(2).first?.messages(1).first
    let elementType = type?.integer(1) ?? 1
    var sizes = type?.messages(2).first?.messages(1).map { $0.integer(1) ?? 2 } ?? []
    let isSmall = sizes.count < 8 && sizes.allSatisfy { (0...64).contains($0) } && sizes.reduce(1, *) <= 4096
    if !isSmall { sizes = sizes.map { _ in 1 } }
    let count = Int(sizes.reduce(1, *))
    var tensor = WireMessage(.tensor).appending(8, .text(info.text(1))).appending(2, .integer(elementType))
    for size in sizes { tensor.append(1, .integer(size)) }
    let width = [1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16][elementType] ?? 1
    let byte = random.pick([0, 0, 1, 2, 0x3f, 0xff] as [UInt8])
    var bytes = [UInt8](repeating: 0, count: max(0, count) * width)
    for start in stride(from: 0, to: bytes.count, by: max(1, width)) { bytes[start] = byte }
    tensor.append(9, .bytes(bytes))
    return tensor
  }

  /// Puts the graph's nodes into a branch of an If, as often as `depth` says.
  private static func wrap(_ graph: inout WireMessage, condition: String, depth: Int) {
    let outputs = graph.messages(12).map { $0.text(1) }
    var inner = WireMessage(.graph).appending(2, .text("branch"))
    for field in graph.fields where field.number == 1 { inner.fields.append(field) }
    for name in outputs { inner.append(12, .message(WireMessage(.valueInfo).appending(1, .text(name)))) }
    for level in 0..<depth {
      var node = WireMessage(.node).appending(4, .text("If")).appending(1, .text(condition))
      for name in outputs { node.append(2, .text(name)) }
      for name in ["then_branch", "else_branch"] where level == 0 || name == "then_branch" {
        node.append(
          5, .message(WireMessage(.attribute).appending(1, .text(name)).appending(20, .integer(5)).appending(6, .message(inner))))
      }
      if level > 0 {
        var other = WireMessage(.graph).appending(2, .text("other"))
        for name in outputs {
          other.append(12, .message(WireMessage(.valueInfo).appending(1, .text(name == outputs[0] ? condition : name))))
        }
        node.append(
          5,
          .message(
            WireMessage(.attribute).appending(1, .text("else_branch")).appending(20, .integer(5)).appending(6, .message(other))))
      }
      guard level < depth - 1 else {
        graph.remove(1)
        return graph.append(1, .message(node))
      }
      inner = WireMessage(.graph).appending(2, .text("branch\(level)")).appending(1, .message(node))
      for name in outputs { inner.append(12, .message(WireMessage(.valueInfo).appending(1, .text(name)))) }
    }
  }

  static let modelSteps: [Step] = [
    Step("operator set changed", 8) { mutation in
      mutation.edit(.operatorSet) { set, random in
        set.set(2, .integer(random.oneIn(6) ? random.integer() : Int64(random.below(30))))
      }
    },
    Step("operator set added", 2) { mutation in
      mutation.edit(.model) { model, random in
        let set = WireMessage(.operatorSet).appending(1, .bytes(random.text())).appending(2, .integer(Int64(random.below(25))))
        model.append(8, .message(set))
      }
    },
    Step("IR version changed", 1) { mutation in mutation.edit(.model) { $0.set(1, .integer($1.integer())) } },
    Step("metadata added", 1) { mutation in
      let name = mutation.random.pick(mutation.valueNames())
      return mutation.edit(.model) { model, random in
        let key = random.pick(["fx.unbound_parameters", "onnx.graph.metadata.x", "onnx.doc_string", "", "k"])
        model.append(14, .message(ModelMutation.entry(key, name)))
      }
    },
    Step("node became a call of a function", 3) { mutation in mutation.addFunctions(count: 1, calls: 1, isRecursive: false) },
    Step("recursive function", 1) { mutation in mutation.addFunctions(count: 1, calls: 2, isRecursive: true) },
    Step("functions that multiply", 1) { mutation in
      mutation.addFunctions(
        count: mutation.random.pick([3, 10, 30, 127]), calls: mutation.random.pick([1, 2, 3, 16]), isRecursive: false)
    },
    Step("training information", 1) { mutation in
      guard let graph = mutation.find(.graph), graph.size < 8192 else { return false }
      return mutation.edit(.model) { model, _ in
        model.append(20, .message(WireMessage(.training).appending(2, .message(graph)).appending(3, .message(entry("x", "y")))))
      }
    },
    Step("quantization annotation", 1) { mutation in
      let name = mutation.random.pick(mutation.valueNames())
      return mutation.edit(.graph) { graph, _ in
        let annotation = WireMessage(.annotation).appending(1, .text(name)).appending(2, .message(entry("SCALE_TENSOR", name)))
        graph.append(14, .message(annotation))
      }
    },
  ]

  /// Functions of which each calls the next `calls` times; a node of the model becomes a call of the first.
  private mutating func addFunctions(count: Int, calls: Int, isRecursive: Bool) -> Bool {
    guard let node = find(.node), !node.texts(1).isEmpty, !node.texts(2).isEmpty else { return false }
    let (operands, results) = (node.texts(1), node.texts(2))
    func call(_ name: String, _ inputs: [String], _ outputs: [String]) -> WireMessage {
      var call = WireMessage(.node).appending(4, .text(name)).appending(7, .text("own"))
      for input in inputs { call.append(1, .text(input)) }
      for output in outputs { call.append(2, .text(output)) }
      return call
    }
    let opType = node.text(4), domain = node.text(7)
    for index in 0..<count {
      var function = WireMessage(.function).appending(1, .text("F\(index)")).appending(10, .text("own"))
      for operand in operands { function.append(4, .text(operand)) }
      for result in results { function.append(5, .text(result)) }
      let callee = isRecursive ? "F\(index)" : "F\(index + 1)"
      if index == count - 1, !isRecursive {
        function.append(7, .message(node))
      } else {
        for repetition in 0..<calls {
          let isLast = repetition == calls - 1
          function.append(7, .message(call(callee, operands, isLast ? results : results.map { "\($0)_\(repetition)" })))
        }
      }
      for set in model.messages(8) { function.append(9, .message(set)) }
      function.append(9, .message(WireMessage(.operatorSet).appending(1, .text("own")).appending(2, .integer(1))))
      model.append(25, .message(function))
    }
    model.append(8, .message(WireMessage(.operatorSet).appending(1, .text("own")).appending(2, .integer(1))))
    let nodes = model.all(.node)
    for (index, other) in nodes.enumerated() where other.text(4) == opType && other.text(7) == domain && other.texts(2) == results
    {
      model.edit(.node, index) { $0 = call("F0", operands, results) }
      break
    }
    return true
  }
}

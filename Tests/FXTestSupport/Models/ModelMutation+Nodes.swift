extension ModelMutation {
  static let nodeSteps: [Step] = [
    Step("operator changed", 10) { mutation in
      let other = mutation.random.pick(mutation.vocabulary.nodes)
      return mutation.edit(.node) { node, random in
        node.set(4, .text(other.text(4)))
        node.set(7, .text(other.text(7)))
        guard !random.oneIn(4) else { return }
        node.remove(5)
        for attribute in other.messages(5) { node.append(5, .message(attribute)) }
      }
    },
    Step("operator unknown", 1) { mutation in
      mutation.edit(.node) { node, random in node.set(random.oneIn(2) ? 4 : 7, .bytes(random.text())) }
    },
    Step("operand renamed", 8) { mutation in mutation.renameOperand(to: mutation.random.pick(mutation.sourceNames())) },
    Step("operand renamed to any value", 2) { mutation in
      mutation.renameOperand(to: mutation.random.pick(mutation.valueNames() + ["", "missing"]))
    },
    Step("operand is the node's own result", 1) { mutation in
      mutation.edit(.node) { node, random in
        let positions = node.positions(1)
        guard !positions.isEmpty, let own = node.texts(2).first else { return }
        node.fields[random.pick(positions)].content = .text(own)
      }
    },
    Step("operand added", 4) { mutation in
      let name = mutation.random.pick(mutation.sourceNames())
      return mutation.edit(.node) { node, random in
        let copies = random.oneIn(30) ? 200 : 1
        for _ in 0..<copies { node.fields.insert(WireField(1, .text(name)), at: random.below(node.fields.count + 1)) }
      }
    },
    Step("operand removed", 3) { mutation in
      mutation.edit(.node) { node, random in
        let positions = node.positions(1)
        if !positions.isEmpty { node.fields.remove(at: random.pick(positions)) }
      }
    },
    Step("result changed", 3) { mutation in
      let name = mutation.random.pick(mutation.valueNames())
      return mutation.edit(.node) { node, random in
        let positions = node.positions(2)
        switch random.below(4) {
        case 0: node.append(2, .text("extra"))
        case 1: node.append(2, .text(""))
        default: if !positions.isEmpty { node.fields[random.pick(positions)].content = .text(random.pick([name, ""])) }
        }
      }
    },
    Step("node of another model inserted", 8) { mutation in
      var node = mutation.random.pick(mutation.vocabulary.nodes)
      let names = mutation.random.oneIn(4) ? mutation.valueNames() : mutation.sourceNames()
      for position in node.positions(1) { node.fields[position].content = .text(mutation.random.pick(names)) }
      let used = mutation.random.pick(names)
      for (index, position) in node.positions(2).enumerated() {
        node.fields[position].content = .text(mutation.random.oneIn(12) ? used : "new\(mutation.random.below(1000))_\(index)")
      }
      return mutation.insert(node)
    },
    Step("chain of nodes appended", 3) { mutation in
      var value = mutation.random.pick(mutation.valueNames())
      for index in 0..<(1 + mutation.random.below(6)) {
        var node = mutation.random.pick(mutation.vocabulary.nodes)
        let names = mutation.sourceNames()
        for (place, position) in node.positions(1).enumerated() {
          node.fields[position].content = .text(place == 0 ? value : mutation.random.pick(names))
        }
        node.remove(2)
        value = "chain\(mutation.random.below(10_000))_\(index)"
        node.append(2, .text(value))
        guard mutation.insert(node) else { return false }
      }
      return true
    },
    Step("node doubled", 2) { mutation in
      guard let node = mutation.find(.node) else { return false }
      return mutation.insert(node)
    },
    Step("nodes shuffled", 2) { mutation in
      mutation.edit(.graph) { graph, random in graph.fields.shuffle(using: &random) }
    },
    Step("node name changed", 1) { mutation in
      mutation.edit(.node) { node, random in node.set(3, random.oneIn(2) ? .text("node_0") : .bytes(random.text())) }
    },
  ]

  private mutating func renameOperand(to name: String) -> Bool {
    edit(.node) { node, random in
      let positions = node.positions(1)
      if positions.isEmpty { node.append(1, .text(name)) } else { node.fields[random.pick(positions)].content = .text(name) }
    }
  }

  /// Puts the node somewhere in one of the graphs, its result sometimes among the graph's outputs.
  mutating func insert(_ node: WireMessage) -> Bool {
    edit(.graph) { graph, random in
      let places = graph.positions(1)
      let place = places.isEmpty ? 0 : random.pick(places) + random.below(2)
      graph.fields.insert(WireField(1, .message(node)), at: place)
      guard random.oneIn(2), let name = node.texts(2).first else { return }
      let positions = graph.positions(12)
      let output = WireField(12, .message(WireMessage(.valueInfo).appending(1, .text(name))))
      if random.oneIn(2) || positions.isEmpty {
        graph.fields.append(output)
      } else {
        graph.fields[random.pick(positions)] = output
      }
    }
  }

  static let attributeSteps: [Step] = [
    Step("attribute's integer at a boundary", 10) { mutation in
      mutation.edit(.attribute) { attribute, random in
        let positions = attribute.positions(8)
        if positions.isEmpty {
          attribute.set(3, .integer(random.integer()))
        } else {
          attribute.fields[random.pick(positions)].content = .integer(random.integer())
        }
      }
    },
    Step("attribute's list longer or shorter", 4) { mutation in
      mutation.edit(.attribute) { attribute, random in
        guard let number = [7, 8, 9].first(where: { !attribute.positions($0).isEmpty }) else { return }
        let positions = attribute.positions(number)
        switch random.below(4) {
        case 0: attribute.fields.remove(at: random.pick(positions))
        case 1: attribute.remove(number)
        case 2: for _ in 0..<100 { attribute.fields.append(attribute.fields[positions[0]]) }
        default: attribute.fields.append(attribute.fields[random.pick(positions)])
        }
      }
    },
    Step("attribute's number changed", 3) { mutation in
      mutation.edit(.attribute) { attribute, random in
        let positions = attribute.positions(2) + attribute.positions(7)
        guard !positions.isEmpty else { return attribute.set(2, .fixed32(random.float().bitPattern)) }
        attribute.fields[random.pick(positions)].content = .fixed32(random.float().bitPattern)
      }
    },
    Step("attribute's text changed", 3) { mutation in
      mutation.edit(.attribute) { attribute, random in
        let positions = attribute.positions(4) + attribute.positions(9)
        guard !positions.isEmpty else { return attribute.set(4, .bytes(random.text())) }
        attribute.fields[random.pick(positions)].content = .bytes(random.text())
      }
    },
    Step("attribute's kind changed", 2) { mutation in
      mutation.edit(.attribute) { attribute, random in attribute.set(20, .integer(Int64(random.below(17)))) }
    },
    Step("attribute of another model", 5) { mutation in
      guard !mutation.vocabulary.attributes.isEmpty else { return false }
      let attribute = mutation.random.pick(mutation.vocabulary.attributes)
      return mutation.edit(.node) { node, _ in node.append(5, .message(attribute)) }
    },
    Step("attribute renamed", 2) { mutation in
      guard !mutation.vocabulary.attributes.isEmpty else { return false }
      let name = mutation.random.pick(mutation.vocabulary.attributes).text(1)
      return mutation.edit(.attribute) { attribute, _ in attribute.set(1, .text(name)) }
    },
    Step("attribute left out", 3) { mutation in
      mutation.edit(.node) { node, random in
        let positions = node.positions(5)
        if !positions.isEmpty { node.fields.remove(at: random.pick(positions)) }
      }
    },
    Step("attribute refers to one of a function", 1) { mutation in
      mutation.edit(.attribute) { attribute, random in attribute.set(21, random.oneIn(2) ? .text("f") : .bytes(random.text())) }
    },
  ]
}

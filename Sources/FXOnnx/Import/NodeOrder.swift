internal import COnnx
import FXCore

/// A node of a graph message with its names read.
struct NodeEntry {
  let message: UnsafeMutablePointer<NodeProto>
  let inputs: [String]
  let outputs: [String]
  /// Names that the node's subgraphs use and do not define.
  let captures: [String]
}

enum NodeOrder {
  /// The nodes with their names, each after those whose results it uses.
  ///
  /// ONNX asks for this order and writers do not always keep it; nodes in order stay as they are. O(nodes).
  /// - Throws: `OnnxError` with `.cycle`.
  static func entries(_ nodes: Messages<NodeProto>) throws(OnnxError) -> [NodeEntry] {
    var entries: [NodeEntry] = []
    entries.reserveCapacity(nodes.count)
    var producers: [String: Int] = [:]
    producers.reserveCapacity(nodes.count)
    for (index, node) in nodes.enumerated() {
      let entry = self.entry(node)
      for output in entry.outputs where !output.isEmpty { producers[output] = index }
      entries.append(entry)
    }
    let isSorted = entries.indices.allSatisfy { index in
      entries[index].dependencies.allSatisfy { (producers[$0] ?? -1) < index }
    }
    return isSorted ? entries : try sort(entries, producers)
  }

  static func entry(_ node: UnsafeMutablePointer<NodeProto>) -> NodeEntry {
    let inputs = texts(node.pointee.input, node.pointee.n_input)
    let outputs = texts(node.pointee.output, node.pointee.n_output)
    var captures: [String] = []
    for attribute in node.pointee.attributes {
      for graph in AttributeReader.subgraphs(attribute.pointee) { captures += freeNames(graph.pointee) }
    }
    return NodeEntry(message: node, inputs: inputs, outputs: outputs, captures: captures)
  }

  /// Depth first along operands, in the order of the file, with a stack of its own.
  private static func sort(_ entries: [NodeEntry], _ producers: [String: Int]) throws(OnnxError) -> [NodeEntry] {
    enum Mark { case new, open, done }
    var marks = [Mark](repeating: .new, count: entries.count)
    var result: [NodeEntry] = []
    result.reserveCapacity(entries.count)
    for root in entries.indices where marks[root] == .new {
      var stack = [(node: root, next: 0)]
      marks[root] = .open
      while let top = stack.last {
        let names = entries[top.node].dependencies
        if top.next == names.count {
          marks[top.node] = .done
          result.append(entries[top.node])
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        guard let producer = producers[names[top.next]] else { continue }
        switch marks[producer] {
        case .done: continue
        case .new:
          marks[producer] = .open
          stack.append((producer, 0))
        case .open:
          let start = stack.firstIndex { $0.node == producer } ?? 0
          throw OnnxError(.cycle(stack[start...].prefix(8).map { entries[$0.node].outputs.first ?? "" }))
        }
      }
    }
    return result
  }

  /// The names that a graph uses and does not define, in the order of first use.
  static func freeNames(_ graph: GraphProto) -> [String] {
    var defined: Set<String> = []
    for tensor in graph.initializers { defined.insert(text(tensor.pointee.name)) }
    for tensor in graph.sparseInitializers { defined.insert(text(tensor.pointee.values?.pointee.name)) }
    for input in graph.inputs { defined.insert(text(input.pointee.name)) }
    for node in graph.nodes {
      for output in texts(node.pointee.output, node.pointee.n_output) { defined.insert(output) }
    }
    var free: [String] = []
    var seen: Set<String> = []
    func use(_ name: String) {
      if !name.isEmpty, !defined.contains(name), seen.insert(name).inserted { free.append(name) }
    }
    for node in graph.nodes { entry(node).dependencies.forEach(use) }
    for output in graph.outputs { use(text(output.pointee.name)) }
    return free
  }
}

extension NodeEntry {
  var dependencies: [String] { captures.isEmpty ? inputs : inputs + captures }
}

import FXCore
import FXTrace

// A model is a struct whose properties are layers; `forward` is written once.
struct Classifier: Module {
  let hidden = Linear(4, 8)
  let output = Linear(8, 3)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    softmax(output(gelu(hidden(x))))
  }
}

// Traced, it is a graph for any batch.
var graph = try trace(Classifier(), .tensor(.float32, ["batch", 4], name: "x"))
print(graph)

// A graph is a value: a copy is edited, the original stays.
var edited = graph
for node in edited.nodes(calling: .gelu) { try edited.setOperator(of: node, to: .relu) }
try edited.verify(.typed)
print("was:", graph.operatorCounts.map { "\($0.count) \($0.op)" }.sorted().joined(separator: ", "))
print("is: ", edited.operatorCounts.map { "\($0.count) \($0.op)" }.sorted().joined(separator: ", "))

// What it was written to can be read again.
print("the text says it all:", try Graph(text: edited.text()) == edited)

// A mistake is found when the model is traced, with the line that made it.
struct Mistaken: Module {
  let hidden = Linear(4, 8)
  let output = Linear(9, 3)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    output(relu(hidden(x)))
  }
}

do {
  graph = try trace(Mistaken(), .tensor(.float32, ["batch", 4], name: "x"))
} catch {
  print("refused:", error)
}

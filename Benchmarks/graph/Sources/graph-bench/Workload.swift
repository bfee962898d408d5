import FXCore

/// A graph of `count` calls on vectors of four numbers, in groups of ten: what real graphs are made of, and something
/// for every clean-up to find. `torch_fx.py` builds the same.
///
/// Of ten calls, six are live, one repeats another, two are dead, and one works on constants alone.
func makeGraph(calls count: Int) throws -> Graph {
  let vector = ValueType.tensor(.float32, [4])
  var graph = Graph(name: "bench")
  var x = Operand.value(try graph.addInput("x", vector))
  let weight = Operand.parameter(graph.addConstant(Tensor(vector: [0.5, -0.25, 1, 2] as [Float]), name: "weight"))
  func call(_ op: Operator, _ operands: Operand...) throws -> Operand {
    .value(try graph.call(op, operands, type: vector))
  }
  for _ in 0..<count / 10 {
    let a = try call(.abs, x)
    let b = try call(.abs, x)
    let c = try call(.add, a, b)
    let folded = try call(.exp, weight)
    let d = try call(.mul, c, folded)
    let dead = try call(.neg, d)
    _ = try call(.exp, dead)
    let e = try call(.sub, d, x)
    let f = try call(.sin, e)
    x = try call(.add, f, weight)
  }
  try graph.addOutput(x, name: "y")
  return graph
}

import FXCore
import FXRuntime
import FXTrace

/// Modules that are traced, loaded and run in wrong ways, and calls of the flat tracer.
extension Mistake {
  struct Classifier: Module {
    /// Members of a sequence report the line that made it.
    static let line = #line + 1
    let body = Sequential(Linear(3, 4), ReLU())
    let head = Linear(4, 2)
    func forward(_ x: SymbolicTensor) -> SymbolicTensor { head(body(x)) }
  }

  struct Wrong: Module {
    let first = Linear(3, 4)
    let second = Linear(5, 2)
    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      second(first(x))
    }
    static let line = #line - 2
  }

  static func state(_ change: (inout [String: Tensor]) throws -> Void) throws -> [String: Tensor] {
    let module = Classifier()
    try module.initializeParameters(seed: 1)
    var state = try module.stateDictionary()
    try change(&state)
    return state
  }

  static var modules: [Mistake] {
    [
      Mistake(
        "the module takes 1 tensor, 2 were given",
        at: #line + 2
      ) {
        _ = try trace(Classifier(), .tensor(.float32, ["n", 3]), .tensor(.float32, ["n", 3]))
      },
      Mistake(
        "linear(f32[n, 4], f32[2, 5], f32[2]): the last dimension of x is 4, the weight's number of columns is "
          + "5: they must be equal; a layer of 4 input features fits",
        at: Wrong.line
      ) {
        _ = try trace(Wrong(), .tensor(.float32, ["n", 3]))
      },
      Mistake(
        "trace: the name 'x' is taken",
        at: #line + 2
      ) {
        _ = try trace(Tied(), .tensor(.float32, ["n", 3], name: "x"), .tensor(.float32, ["n", 3], name: "x"))
      },
      Mistake(
        "trace: 2 outputs are named, the graph has 1",
        at: #line + 4
      ) {
        var options = TraceOptions()
        options.outputNames = ["a", "b"]
        _ = try trace(Classifier(), .tensor(.float32, ["n", 3]), options: options)
      },
      Mistake(
        "missing head.bias",
        at: nil
      ) { try Classifier().load(state { $0["head.bias"] = nil }) },
      Mistake(
        "missing head.weight; not in the module: head.wieght; did you mean 'head.weight'?",
        at: nil
      ) { try Classifier().load(state { $0["head.wieght"] = $0.removeValue(forKey: "head.weight") }) },
      Mistake(
        "parameter 'head.weight' is f32[2, 4], a tensor f32[4, 2] does not fit",
        at: nil
      ) { try Classifier().load(state { $0["head.weight"] = try Tensor(zeros: .float32, [4, 2]) }) },
      Mistake(
        "parameter 'head.bias' is f32[2], a tensor f16[2] does not fit",
        at: nil
      ) { try Classifier().load(state { $0["head.bias"] = try Tensor(zeros: .float16, [2]) }) },
      Mistake(
        "nothing is bound to the parameters body.0.weight, body.0.bias, head.weight, head.bias: load them or "
          + "call initializeParameters(seed:)",
        at: nil
      ) { _ = try Classifier().stateDictionary() },
      Mistake(
        "nothing is bound to the parameters body.0.weight: load them or call initializeParameters(seed:)",
        at: Classifier.line
      ) {
        _ = try Classifier().callEagerly(Tensor(zeros: .float32, [1, 3]), executor: ReferenceExecutor())
      },
      Mistake(
        "nothing is bound to the parameters body.0.weight, body.0.bias, head.weight, head.bias: bind them or "
          + "call initializeParameters(seed:)",
        at: nil
      ) {
        let graph = try trace(Classifier(), .tensor(.float32, ["n", 3]))
        _ = try ReferenceExecutor().run(graph, Tensor(zeros: .float32, [1, 3]))
      },
      Mistake(
        "an operand belongs to another trace",
        at: #line + 7
      ) {
        var kept: SymbolicTensor?
        _ = try trace([.tensor(.float32, [2])]) {
          kept = $0[0]; return $0
        }
        guard let kept else { return }
        _ = try trace([.tensor(.float32, [2])]) { [relu($0[0]), relu(kept)] }
      },
    ]
  }

  struct Tied: Module {
    func forward(_ inputs: Tuple<SymbolicTensor, SymbolicTensor>) -> SymbolicTensor { inputs.members.0 }
  }

  static var flat: [Mistake] {
    func tracer() throws -> ModuleTracer {
      var tracer = ModuleTracer()
      try tracer.addInput("x", .tensor(.float32, ["batch", 784]))
      return tracer
    }
    return [
      Mistake(
        "there is no operator 'reluu'; did you mean 'relu'?",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addCall("reluu", ["x"])
      },
      Mistake(
        "relu: nothing is called 'y'; did you mean 'x'?",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addCall("relu", ["y"])
      },
      Mistake(
        "relu: 'node_3' is used before it is defined",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addCall("relu", ["node_3"])
      },
      Mistake(
        "linear(f32[batch, 784]): linear has no attribute 'out_feature'",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addCall("linear", ["x"], attributes: ["out_feature": 10])
      },
      Mistake(
        "softmax(f32[batch, 784], f32[batch, 784], f32[batch, 784]): softmax takes 1 operands, not 3",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addCall("softmax", ["x", "x", "x"])
      },
      Mistake(
        "addInput: the name 'x' is taken",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addInput("x")
      },
      Mistake(
        "addOutput: 'node_0' is used before it is defined",
        at: #line + 3
      ) {
        var tracer = try tracer()
        try tracer.addOutput("node_0")
      },
    ]
  }
}

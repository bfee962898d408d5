import FXCore
import FXShapes
import FXTrace
import Foundation
import Testing

@testable import FXCodegen

@Suite struct GeneratorTests {
  private static func graph(_ body: String) throws -> Graph { try Graph(text: "fx 1\n" + body) }

  private static let perceptron = """
    graph @"my net"(%x: f32[batch, 4]) {
      parameter @fc.0.weight: f32[3, 4] weight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]
      parameter @fc.0.bias: f32[3] weight = [1.0, 2.0, 3.0]
      %hidden: f32[batch, 3] = linear(%x, @fc.0.weight, @fc.0.bias)
      %class: f32[batch, 3] = relu(%hidden)
      return %class as "scores"
    }
    """

  @Test func unknownTargets() throws {
    let graph = try Self.graph(Self.perceptron)
    #expect(throws: CodegenError.unknownTarget("fortran", available: CodeGenerator().availableTargets)) {
      try CodeGenerator().generateCode(graph, target: "fortran")
    }
    #expect(Set(CodeGenerator().availableTargets).isSuperset(of: ["libtorch", "numpy", "pytorch", "xla"]))
  }

  /// Every call that cannot be written is named, with its place.
  @Test func offenders() throws {
    let graph = try Self.graph(
      """
      graph @main(%x: f32[2], %i: u8[9]) {
        %a: f32[2] = random_normal_like(%x) at "Model.swift":7 in "noise"
        %b: u8[?, ?, 3] = image_decoder(%i) at "Model.swift":8
        return %a, %b
      }
      """)
    let error = #expect(throws: CodegenError.self) { try CodeGenerator().generate(graph, target: "numpy") }
    guard case .unsupported("numpy", let refusals)? = error else {
      Issue.record("\(error.map { "\($0)" } ?? "nothing") was thrown")
      return
    }
    #expect(refusals.map(\.op) == ["random_normal_like", "image_decoder"])
    #expect(refusals.map(\.location?.line) == [7, 8])
    #expect(
      error?.description.hasPrefix(
        "numpy cannot express 'a' (random_normal_like at Model.swift:7 in noise): NumPy has no row for it; 'b' (image_decoder")
        == true)
  }

  @Test(arguments: ["numpy", "pytorch", "libtorch"]) func sameGraphSameProgram(_ target: String) throws {
    let graph = try Self.graph(Self.perceptron)
    let programs = try (0..<2).map { _ in try CodeGenerator().generate(graph, target: target) }
    #expect(programs[0].files.map(\.name) == programs[1].files.map(\.name))
    #expect(programs[0].files.map(\.bytes) == programs[1].files.map(\.bytes))
  }

  @Test func pytorchReadsAsWritten() throws {
    let program = try CodeGenerator().generate(try Self.graph(Self.perceptron), target: "pytorch")
    #expect(program.files.map(\.name) == ["my_net.py", "my_net.safetensors"])
    for line in [
      "class MyNet(nn.Module):", "        self.fc[0] = nn.Linear(4, 3)", "        hidden = self.fc[0](x)",
      "    def forward(self, x):",
      "        class_2 = torch.relu(hidden)", "        return class_2",
    ] {
      #expect(program.source.contains(line + "\n"), "\(line)\n\(program.source)")
    }
    let weights = try program.files[1].bytes.withUnsafeBytes { try Safetensors.decode($0).tensors }
    #expect(Set(weights.keys) == ["fc.0.weight", "fc.0.bias"])
  }

  @Test func numpyReadsAsWritten() throws {
    let program = try CodeGenerator().generate(try Self.graph(Self.perceptron), target: "numpy", CodegenOptions(name: "net"))
    #expect(program.files.map(\.name) == ["net.py", "net.npz"])
    #expect(program.source.contains("def net(x):\n"))
    #expect(program.source.contains("x: f32[batch, 4]"))
    #expect(program.source.contains("class_2 = np.maximum(hidden, 0)"))
  }

  /// The first program of the tutorial: nothing is known of the input, and nothing is bound.
  @Test func tutorial() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x")
    try tracer.addCall("linear", ["x"])
    try tracer.addCall("relu", ["node_0"])
    try tracer.addOutput("node_1")
    let graph = try tracer.finalize()
    #expect(try graph.toPython().contains("F.linear(x, self.node_0.weight, self.node_0.bias)"))
    #expect(try graph.toCpp().contains("at::linear(x, node_0_weight_, node_0_bias_)"))
    #expect(try CodeGenerator().generateCode(graph, target: "numpy").contains("x @ weights[\"node_0.weight\"].T"))
  }

  @Test func hostileNames() throws {
    var graph = Graph(name: "a\"\"\"\nimport os")
    let x = try graph.addInput("lambda", .tensor(.float32, [2]))
    let y = try graph.append(.relu, [.value(x)])
    try graph.setName("print(1)\n", of: try #require(graph[y].results.first))
    try graph.addOutput(try #require(graph[y].results.first), name: "\"\"\"x")
    for target in ["numpy", "pytorch"] {
      let source = try CodeGenerator().generateCode(graph, target: target)
      #expect(!source.contains("\nimport os"))
      #expect(source.contains("print_1 ="))
      #expect(source.contains("lambda_2"))
    }
  }

  /// No source holds characters that end lines or texts: Python and C++ spell them in one way, Swift in another.
  @Test func controlCharacters() throws {
    var graph = Graph(name: "net")
    let x = try graph.addInput("x", .tensor(.float32, [2]))
    let w = try graph.addParameter("w\u{1}\u{0}\"", Tensor(vector: [Float(1), 2]))
    try graph.addOutput(try graph.call(.add, [.value(x), .parameter(w)]), name: "y")
    let generator = CodeGenerator()
    #expect(try generator.generateCode(graph, target: "numpy").contains(#"weights["w\u0001\u0000\""]"#))
    #expect(try generator.generateCode(graph, target: "swift").contains(#""w\u{1}\u{0}\"""#))
  }

  /// What exporters write for "from the beginning" and "to the end" is left out.
  @Test(arguments: ["pytorch", "numpy"]) func slicesReadAsWritten(_ target: String) throws {
    let graph = try Self.graph(
      """
      graph @net(%x: f32[n, 8]) {
        parameter @s: i64[2] constant = [-9223372036854775808, -9223372036854775807]
        parameter @e: i64[2] constant = [9223372036854775807, -2]
        parameter @a: i64[2] constant = [0, 1]
        %y: f32[n, 6] = slice(%x, @s, @e, @a)
        return %y
      }
      """)
    #expect(try CodeGenerator().generateCode(graph, target: target).contains("x[:, :-2]"))
  }

  /// What masks are made of, written so that it is read as `float`.
  @Test func leastNumber() throws {
    let graph = try Self.graph(
      """
      graph @net(%x: f32[2], %m: bool[2]) {
        parameter @least: f32[] constant = [-3.4028235e38]
        %y: f32[2] = where(%m, %x, @least)
        return %y
      }
      """)
    #expect(try graph.toCpp().contains("at::scalar_tensor(-3.4028234663852886e+38, at::kFloat)"))
  }

  @Test func controlFlowStaysControlFlow() throws {
    let graph = try #require(try CodegenCases.own().first).graph
    let python = try CodeGenerator().generateCode(graph, target: "pytorch")
    #expect(python.contains("        while n < 10:\n"))
    #expect(try CodeGenerator().generateCode(graph, target: "libtorch").contains("while ((n < 10).item<bool>()) {"))
    #expect(try CodeGenerator().generateCode(graph, target: "xla").contains("\"stablehlo.while\""))
  }

  /// A user's target is asked and used like those of the package.
  @Test func targetsOfUsers() throws {
    struct Names: CodeTarget {
      let name = "names"
      let summary = "the names of the operators"
      func refusal(of node: Node, in graph: Graph) -> String? { node.op == .linear ? "too linear" : nil }
      func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
        var program = GeneratedProgram()
        program.add("names.txt", try graph.bodyNodes.map { try graph[$0].op.name }.joined(separator: " "))
        return program
      }
    }
    var generator = CodeGenerator()
    generator.add(Names())
    // What it refuses is decomposed for it.
    #expect(try generator.generateCode(try Self.graph(Self.perceptron), target: "names") == "gemm relu")
  }

  /// A row may have the program define a function: no variable hides it, and no other function has its name.
  @Test func functionsOfUsers() throws {
    let graph = try Self.graph(
      """
      graph @twice(%twice: f32[2]) {
        %y: f32[2] = relu(%twice)
        %z: f32[2] = softmax(%y)
        return %z
      }
      """)
    func program(_ name: String) throws -> GeneratedProgram {
      var rows = NumpyRows.standard
      rows[.relu] = { call in
        let function = NumpyFunction(name, "def \(name)(x):\n    return np.maximum(x, 0)")
        return .expression("\(call.use(function))(\(call[0]))")
      }
      return try CodeGenerator(targets: [NumpyTarget(rows: rows)]).generate(graph, target: "numpy")
    }
    let twice = try program("twice")
    #expect(twice.files.first?.name == "twice_model.py")
    for line in ["def twice(x):\n", "def twice_model(twice_2):\n", "y = twice(twice_2)\n", "def softmax(x, axis):\n"] {
      #expect(twice.source.contains(line), "\(twice.source)")
    }
    #expect { try program("softmax") } throws: {
      "\($0)" == "numpy cannot express 'twice' (graph): its calls need two functions that are both called 'softmax'"
    }
    var rows = TorchRows.standard
    rows[.relu] = { call in
      let source = "at::Tensor twice(const at::Tensor& x) { return x; }"
      let function = TorchFunction("twice", python: "def twice(x):\n    return x.relu()", cpp: source)
      return .expressions([try call.call(function, [call[0]])])
    }
    for target in [PyTorchTarget(rows: rows), LibTorchTarget(rows: rows)] as [any CodeTarget] {
      let program = try CodeGenerator(targets: [target]).generate(graph, target: target.name)
      #expect(program.files.first?.name.hasPrefix("twice_model.") == true)
      #expect(program.source.contains("y = twice(twice_2)"), "\(program.source)")
    }
  }

  @Test func identifiers() {
    #expect(Identifiers.sanitized("/layer.1/Conv_output_0") == "layer_1_Conv_output_0")
    #expect(Identifiers.sanitized("123") == "v123")
    #expect(Identifiers.sanitized("größe") == "gr_e")
    #expect(Identifiers.sanitized("") == "value")
    #expect(Identifiers.capitalized("my_net-2") == "MyNet2")
    var names = Identifiers(reserved: Identifiers.python)
    #expect([names.unique("x"), names.unique("x"), names.unique("if")] == ["x", "x_2", "if_2"])
  }
}

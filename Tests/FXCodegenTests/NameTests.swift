import FXCodegen
import FXCore
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Programs of graphs whose parts have the names of what languages, and programs themselves, have: all are told apart.
@Suite(.serialized) struct NameTests {
  /// Keywords, what programs import, define and call, functions and macros of C.
  static let words = [
    "class", "lambda", "none", "True", "np", "numpy", "softmax", "path", "torch", "f", "range", "itertools", "load",
    "read_safetensors", "int", "namespace", "exp", "std", "at", "slice", "random", "NAN", "timer", "safetensors_file", "main",
    "fx",
  ]

  static func graph(_ text: String) throws -> Graph {
    var graph = try Graph(text: "fx 1\n" + text)
    try ShapeInference().run(&graph)
    return graph
  }

  /// Programs that are called so, each run under its name.
  private func checkPrograms(_ target: String, _ words: [String]) throws {
    let verifier = CodegenCases.verifier(try CodegenCases.target(target))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let graph = try Self.graph(
      """
      graph @main(%x: f32[2, 3]) {
        parameter @w: f32[3] weight = [1.0, 2.0, 3.0]
        %s: f32[2, 3] = softmax(%x)
        %y: f32[2, 3] = add(%s, @w)
        return %y
      }
      """)
    let inputs = try InputSampler().inputs(of: graph)
    let expected = try ReferenceExecutor().run(graph, inputs: inputs)[0]
    let jobs = try words.enumerated().map { index, word in
      let program = try CodeGenerator().generate(graph, target: target, CodegenOptions(name: word))
      try program.write(to: "\(verifier.folder)/program_\(index)")
      return ProgramJob(
        program: program, folder: "\(verifier.folder)/program_\(index)", inputs: inputs, resultTypes: [expected.type])
    }
    let runner = try #require(verifier.target as? any VerifiableTarget).makeRunner(verifier.environment)
    for (word, run) in zip(words, try runner.run(jobs)) {
      guard case .executed(let results) = run, results.count == 1 else {
        Issue.record("\(target), a program called \(word): \(run)")
        continue
      }
      let verdict = OutputComparison(.reassociates).compare(expected, results[0])
      guard case .agree = verdict else {
        Issue.record("\(target), a program called \(word): \(verdict)")
        continue
      }
    }
  }

  /// The words that the programs of some graphs are made of, as names of everything in a graph.
  private func checkValues(_ target: String) throws {
    var words: Set<String> = []
    for item in try CodegenCases.own() {
      let source = try CodeGenerator().generateCode(item.graph, target: target)
      words.formUnion(source.matches(of: /[A-Za-z_][A-Za-z_0-9]*/).map { String($0.output) })
    }
    #expect(words.count > 30)
    var inputs = Graph(name: "inputs")
    var values = Graph(name: "values")
    var sum: Operand = .literal(.float(1))
    var last = try values.addInput("x", .tensor(.float32, [2]))
    for word in words.sorted() {
      sum = .value(try inputs.call(.add, [.value(try inputs.addInput(word, .tensor(.float32, [2]))), sum]))
      let weight = try values.addParameter(word, Tensor(vector: [Float(1), 2]))
      if word != "x" { last = try values.call(.add, [.value(last), .parameter(weight)], name: word) }
      try values.addOutput(last, name: "out_\(word)")
    }
    try inputs.setResults(of: inputs.body, [sum], names: ["sum"])
    let loop = try Self.graph(
      """
      graph @loop(%limit: i64[], %found: f32[3], %turn: f32[3]) {
        %status = loop(%limit, none, %found, %turn) {state_count = 1} body(%i: i64[], %c: bool[], %a: f32[3], %b: f32[3]) {
          %queue: f32[3] = add(%a, %b)
          return %c, %queue
        }
        return %status
      }
      """)
    let verifier = CodegenCases.verifier(try CodegenCases.target(target))
    defer { try? FileManager.default.removeItem(atPath: verifier.folder) }
    let cases = try [inputs, values, loop].map { graph in
      var graph = graph
      try ShapeInference().run(&graph)
      let turns = RuntimeValue.tensor(Tensor(Int64(3)))
      let drawn = try InputSampler(values: graph.name == "loop" ? ["limit": turns] : [:]).inputs(of: graph)
      return VerificationCase(
        graph.name, graph, inputs: drawn, expected: try ReferenceExecutor().run(graph, inputs: drawn), rtol: 1e-5, atol: 1e-5)
    }
    for (item, outcome) in zip(cases, try verifier.verify(cases)) {
      guard case .executed(_, false) = outcome else {
        Issue.record("\(target), \(item.name): \(outcome)")
        continue
      }
    }
  }

  @Test(.enabled(if: CodegenCases.python != nil, "`make test` says where Python is")) func numpy() throws {
    try checkPrograms("numpy", Self.words)
    try checkValues("numpy")
  }

  @Test func native() throws {
    try checkPrograms("std_cpp", ["class", "std", "timer", "pthread_mutex", "fx", "main"])
    try checkValues("std_cpp")
  }

  @Test(.enabled(if: CodegenCases.heavyPython != nil, "`make codegen` runs these"), arguments: ["pytorch", "xla", "libtorch"])
  func heavyStacks(_ target: String) throws {
    try checkPrograms(target, Self.words)
    // StableHLO has no loop whose count a run gives.
    if target != "xla" { try checkValues(target) }
  }

  /// Names that modules of PyTorch have already: a parameter cannot be called so.
  @Test(arguments: ["bfloat16", "named_parameters", "load_state_dict", "forward"])
  func parametersOfModules(_ name: String) throws {
    let text = """
      graph @net(%x: f32[2]) {
        parameter @\(name): f32[2] weight = [1.0, 2.0]
        %y: f32[2] = add(%x, @\(name))
        return %y
      }
      """
    #expect(try CodeGenerator().generateCode(Self.graph(text), target: "pytorch").contains("self.\(name)_ = nn.Parameter("))
  }

  @Test(arguments: [
    ("numpy", "class", "class_model.py", "def class_model(x):"), ("numpy", "numpy", "numpy_model.py", "def numpy_model(x):"),
    ("pytorch", "none", "none_model.py", "class NoneModel(nn.Module):"),
    ("pytorch", "f", "f_model.py", "class FModel(nn.Module):"),
    ("libtorch", "class", "class_model.cpp", "namespace class_model {"),
    ("libtorch", "slice", "slice_model.cpp", "class SliceModel {"),
    ("std_cpp", "timer", "model_timer.cpp", "int model_timer_create("), ("swift", "class", "class.swift", "public func `class`("),
    ("numpy", "net", "net.py", "def net(x):"), ("pytorch", "net", "net.py", "class Net(nn.Module):"),
  ]) func programsAreCalled(target: String, name: String, file: String, line: String) throws {
    let graph = try Self.graph("graph @\(name)(%x: f32[2]) {\n  %y: f32[2] = relu(%x)\n  return %y\n}\n")
    let program = try CodeGenerator().generate(graph, target: target)
    #expect(program.files.first?.name == file)
    #expect(program.source.contains(line), "\(program.source)")
  }

  /// Variables of Swift that would hide the types that the function names.
  @Test func swiftTypes() throws {
    let graph = try Self.graph(
      """
      graph @net(%Float: f32[2], %GraphError: f32[2]) {
        parameter @Operator: f32[] constant = [2.0]
        %String: f32[2] = mul(%Float, @Operator)
        %Int64: f32[2] = add(%String, %GraphError)
        return %Int64
      }
      """)
    let source = try CodeGenerator().generateCode(graph, target: "swift")
    for name in ["Float", "GraphError", "Operator", "String", "Int64"] { #expect(source.contains("let \(name)_2 = ")) }
  }
}

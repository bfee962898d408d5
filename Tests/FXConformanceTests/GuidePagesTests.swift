import FXCodegen
import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import FXTrace
import Foundation
import Testing

/// `docs/QuickStart.md`, `docs/Train.md` and `docs/WriteAPass.md`; `OperatorPageTests` has `docs/WriteAnOperator.md`.
@Suite struct GuidePagesTests {
  @Test(arguments: ["QuickStart", "Train", "WriteAPass"]) func everyBlockStandsInThisFile(page: String) throws {
    try expectProgramsOfPage("docs/\(page).md", in: [#filePath])
  }

  /// A link to a page or an example is one that is there; every page is reached from the index.
  @Test func links() throws {
    let docs = ReadmeTests.root.appendingPathComponent("docs")
    let pages = try FileManager.default.contentsOfDirectory(atPath: docs.path).filter { $0.hasSuffix(".md") }
    let index = try String(contentsOf: docs.appendingPathComponent("README.md"), encoding: .utf8)
    for page in pages where page != "README.md" { #expect(index.contains("](\(page))"), "the index lacks \(page)") }
    for page in pages.map({ "docs/\($0)" }) + ["README.md", "CONTRIBUTING.md"] {
      let file = ReadmeTests.root.appendingPathComponent(page)
      let text = try String(contentsOf: file, encoding: .utf8)
      for link in text.matches(of: /\]\(([^)#:\s]+)(?:#[^)]*)?\)/).map({ String($0.1) }) {
        let target = file.deletingLastPathComponent().appendingPathComponent(link).standardized
        #expect(FileManager.default.fileExists(atPath: target.path), "\(page) links to \(link)")
      }
      for example in text.matches(of: /`Examples\/(\w+)`/).map({ String($0.1) }) {
        let manifest = ReadmeTests.root.appendingPathComponent("Examples/\(example)/Package.swift")
        #expect(FileManager.default.fileExists(atPath: manifest.path), "\(page) speaks of Examples/\(example)")
      }
    }
  }

  private static func temporary() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-guide-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }
}

// MARK: - Quick start

struct Regression: Module {
  let hidden = Linear(2, 16)
  let output = Linear(16, 1)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor { output(tanh(hidden(x))) }
}

extension GuidePagesTests {
  @Test func readCompileRun() throws {
    try #require(FileManager.default.fileExists(atPath: "Models/digits/model.onnx"))
    let graph = try OnnxImporter().graph(path: "Models/digits/model.onnx")
    let model = try CPUBackend().compiled(graph)

    let images = try Npy.read("Models/digits/images.npy")  // f32[360, 1, 8, 8]
    let result = try model.run([.tensor(images)])[0]
    guard let probabilities = result.tensor else { throw ExecutionError.notATensor(result.type) }

    let scores: [Float] = try probabilities.elements()
    let first = scores.prefix(10).enumerated().max { $0.element < $1.element }
    print("the first image shows", first?.offset ?? 0)

    let labels: [Int64] = try Npy.read("Models/digits/labels.npy").converted(to: .int64).elements()
    #expect(first?.offset == Int(labels[0]))
  }

  @Test func aModelOfYourOwn() throws {
    let folder = try Self.temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/regression.onnx"
    let regression = Regression()
    try regression.initializeParameters(seed: 1)
    let traced = try trace(regression, .tensor(.float32, ["batch", 2], name: "x"))
    print(traced)  // the canonical text: it reads back
    try exportToOnnx(traced, name: "regression").saveToFile(path)

    #expect(try Graph(text: traced.text()) == traced)
    let x = try Tensor([3, 2], [1, 2, 3, 4, 5, 6] as [Float])
    let again = try CPUBackend().run(OnnxImporter().graph(path: path), x)[0].elements(Float.self)
    #expect(try again == regression.callEagerly(x, executor: CPUBackend())[0].elements(Float.self))
  }
}

// MARK: - Train

struct Classifier: Module {
  let hidden = Linear(64, 32)
  let output = Linear(32, 10)

  func forward(_ x: SymbolicTensor) -> SymbolicTensor { output(relu(hidden(x))) }
}

extension GuidePagesTests {
  @Test func training() throws {
    let folder = try Self.temporary()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let all = try Npy.read("\(ReadmeTests.root.path)/Models/digits/images.npy").elements(Float.self)
    let labels: [Int64] = try Npy.read("\(ReadmeTests.root.path)/Models/digits/labels.npy").converted(to: .int64).elements()
    let steps = 120
    func batch(_ index: Int) throws -> (Tensor, Tensor) {
      let rows = (0..<60).map { (index * 60 + $0) % labels.count }
      return (
        try Tensor([60, 64], rows.flatMap { row in all[row * 64..<row * 64 + 64].map { $0 / 16 } }),
        Tensor(vector: rows.map { labels[$0] })
      )
    }

    let classifier = Classifier()
    try classifier.initializeParameters(seed: 1)
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let inputs: [TraceInput] = [
      .tensor(.float32, ["n", 64], name: "images"), .tensor(.int64, ["n"], name: "classes"),
    ]
    let model = try trace(classifier, inputs, options: options) { classifier, tensors in
      [crossEntropy(classifier(tensors[0]), tensors[1])]
    }

    let step = try TrainingStep(model, loss: "loss", optimizer: Adam.adamW(learningRate: 1e-2))
    var trainer = try Trainer(step, on: CPUBackend())
    for index in 0..<steps {
      let (images, classes) = try batch(index)
      let loss = try trainer.train(images, classes, learningRate: index < steps / 2 ? 1e-2 : 1e-3)
      if index % 20 == 0 { print("step \(index): loss \(loss)") }
    }
    let (images, classes) = try batch(0)
    #expect(try trainer.train(images, classes) < 0.3)

    var scorer = try trace(classifier, .tensor(.float32, ["n", 64], name: "images"))
    try trainer.apply(to: &scorer)  // parameters are found by their names
    try exportToOnnx(scorer).saveToFile("\(folder)/classifier.onnx")
    try Safetensors.write(trainer.tensors, metadata: ["steps": "\(trainer.stepCount)"], to: "\(folder)/checkpoint.safetensors")

    let scores = try CPUBackend().run(OnnxImporter().graph(path: "\(folder)/classifier.onnx"), images)[0].elements(Float.self)
    let right = try classes.elements(Int64.self).enumerated().count { row, label in
      (0..<10).max { scores[row * 10 + $0] < scores[row * 10 + $1] } == Int(label)
    }
    #expect(right > 55)
    #expect(try Safetensors.read("\(folder)/checkpoint.safetensors")["hidden.weight"] == trainer.tensors["hidden.weight"])
  }

  @Test func gradients() throws {
    var graph = try trace([.tensor(.float32, [3], name: "x")]) { tensors in [sum(tensors[0] * tensors[0] * tensors[0])] }
    guard let y = graph.outputs.first else { return }
    let slopes = try Differentiation().gradients(of: [(y, nil)], wrt: graph.inputs.map(Operand.value), in: &graph)
    for slope in slopes { try graph.addOutput(slope, name: "slope") }

    let results = try CPUBackend().run(graph, Tensor(vector: [1, -2, 0.5] as [Float]))
    #expect(try results[1].elements(Float.self) == [3, 12, 0.75])
  }
}

// MARK: - Write a pass

/// Before: `exp(log(x))`; after: `x`.
struct ExpOfLogPass: Pass {
  let name = "exp-of-log"
  let contract = NumericContract.reassociates

  @discardableResult
  func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.nodes(calling: .exp) {
      guard let value = try graph[id].operand(0).value, let inner = try graph.producer(of: value), try graph[inner].op == .log
      else { continue }
      try graph.replace(id, with: [graph[inner].operand(0)])
      outcome.change("pairs removed")
      if try graph.uses(of: value).isEmpty { try graph.erase(inner) }
    }
    return outcome
  }
}

extension GuidePagesTests {
  static func positive() throws -> Graph {
    try trace(.tensor(.float32, ["n", 3], name: "x")) { (x: SymbolicTensor) in log(exp(exp(log(x * x + 0.5))) + 1.0) }
  }

  @Test func passes() throws {
    var graph = try Self.positive()
    try ExpOfLogPass().apply(to: &graph)
    #expect(graph.nodes(calling: .exp).count == 1)

    let rule = RewriteRule("softplus", replace: { x in log(exp(x) + 1.0) }, with: { x in softplus(x) })
    let outcome = try RewritePass([rule]).apply(to: &graph)
    #expect(outcome.changes == 1)
    #expect(graph.nodes(calling: .softplus).count == 1)
  }

  @Test func manager() throws {
    var graph = try Self.positive()
    let rule = RewriteRule("softplus", replace: { x in log(exp(x) + 1.0) }, with: { x in softplus(x) })
    var manager = PassManager([ExpOfLogPass(), RewritePass([rule]), DeadCodeEliminationPass()])
    manager.maximumRounds = 4  // until nothing changes
    manager.validation = PassValidation(executor: ReferenceExecutor())
    let report = try manager.run(&graph)
    print(report)

    #expect(report.isStable && report.nodesAfter < report.nodesBefore)
  }

  @Test func trial() throws {
    let trial = PassTrial(executor: ReferenceExecutor())
    for seed in 0..<20 {
      var program = RandomProgram(seed: UInt64(seed))
      try trial.check(ExpOfLogPass(), on: program.make())
    }
    try trial.check(ExpOfLogPass(), on: Self.positive())
  }
}

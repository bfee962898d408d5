import FXCore
import FXRuntime
import FXShapes
import Foundation
import Testing

// Foundation has a type of that name too.
private typealias Dimension = FXCore.Dimension

/// The programs of `docs/Shapes.md`: each of their lines stands in this file, in order, and runs.
@Suite struct ShapesDocumentationTests {
  @Test func everyLineStandsInThisFile() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appendingPathComponent("docs/Shapes.md"), encoding: .utf8)
    func lines(_ text: some StringProtocol) -> [String] {
      text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    var code = lines(try String(contentsOfFile: #filePath, encoding: .utf8))[...]
    let blocks = text.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    #expect(blocks.count == 9)
    for line in blocks.flatMap(lines) {
      guard let position = code.firstIndex(of: line) else {
        Issue.record("docs/Shapes.md has a line that no test runs in its place: \(line)")
        continue
      }
      code = code[(position + 1)...]
    }
  }

  @Test func examples() throws {
    let (batch, s): (Dimension, Dimension) = ("batch", "s")
    #expect(batch + batch == 2 * batch)
    #expect((2 * s + 4) / 2 == s + 2)

    let rows = try DynamicDim("batch", min: 1, max: 1024)
    let length = try DynamicDim("seq_len", min: 1, max: 512)
    let hidden = try DynamicDim("hidden", min: 768, max: 768)  // one size: static
    let shape = try DynamicShape([rows, length, hidden])
    print(shape)  // [batch in 1...1024, seq_len in 1...512, hidden = 768]
    print((2 * length + 1).max ?? 0)  // 1025

    var info = DynamicShapeInfo(shape)
    info.addConstraint(.divisible("seq_len", by: 8), origin: "the kernel")
    let sizes = try info.check([4, 16, 768])  // ["batch": 4, "seq_len": 16]

    #expect("\(shape)" == "[batch in 1...1024, seq_len in 1...512, hidden = 768]" && (2 * length + 1).max == 1025)
    #expect(sizes == ["batch": 4, "seq_len": 16])
    #expect { try info.check([4, 15, 768]) } throws: {
      "\($0)" == "seq_len multiple_of 8 (the kernel) does not hold for seq_len = 15"
    }
    try contexts(rows, info, batch)
  }

  private func contexts(_ rows: DynamicDim, _ info: DynamicShapeInfo, _ batch: Dimension) throws {
    var context = DynamicShapeInferenceContext()
    try context.addDimension(rows)
    try context.addConstraint(.equal("batch", "batch2"))
    try context.addConstraint(.divisible("seq_len", by: 8))
    try context.addShape(info)

    let validation = context.validateConstraints()
    print(validation.isValid)  // true
    print(validation.ranges["seq_len"].map(String.init(describing:)) ?? "")  // 8...512, a multiple of 8
    print(validation.witness ?? [:])  // sizes that keep all of them
    try context.validate(["batch": 3, "batch2": 3, "seq_len": 16])
    #expect(validation.isValid && validation.ranges["seq_len"]?.description == "8...512, a multiple of 8")

    var message = ""
    do {
      try context.addConstraint(.greaterOrEqual("batch2", 2000), origin: "the second input")
    } catch {
      print(error)  // no sizes satisfy batch in 1...1024 (…), batch == batch2 (…), batch2 >= 2000 (the second input)
      message = "\(error)"
    }
    #expect(message.hasPrefix("no sizes satisfy batch in 1...1024 (") && message.hasSuffix("batch2 >= 2000 (the second input)"))

    #expect(context.decide(.divisible("seq_len", by: 4)) == .proved)
    #expect(context.decide(.less("batch", "seq_len")) == .unknown)  // left to a check when sizes are at hand
    if case .refuted(let conflict) = context.decide(.equal("seq_len", 12)) { print(conflict) }

    let verdict = try context.withScope(assuming: [.less("seq_len", 16)]) { $0.decide(.equal("seq_len", 8)) }
    #expect(verdict == .proved)
    try graphs(info, batch)
  }

  private func graphs(_ info: DynamicShapeInfo, _ batch: Dimension) throws {
    var graph = Graph()
    let x = try graph.addInput("x", .float32, info)
    let y = try graph.addInput("y", .tensor(.float32, ["rows", "seq_len", 768]))
    graph.addConstraint(.lessOrEqual("rows", 2 * batch))
    try graph.addOutput(graph.call(.add, [.value(x), .value(y)]), name: "z")
    try graph.verify()
    #expect(try Graph(text: graph.text()) == graph && Graph(binary: graph.binary()) == graph)

    var known = DynamicShapeInferenceContext()
    let checks = try known.infer(&graph)
    print(checks)  // [batch broadcasts_with rows (node 'node_0' (add))]
    #expect(checks.map(\.constraint) == [.broadcastable("batch", "rows")])

    let compiled = try CPUBackend().compiled(graph)
    func ones(_ shape: [Int]) throws -> RuntimeValue {
      .tensor(try Tensor(shape, [Float](repeating: 1, count: shape.reduce(1, *))))
    }
    for rows in [1, 7, 32] { _ = try compiled.run([ones([rows, 8, 768]), ones([rows, 8, 768])]) }
    var message = ""
    do {
      _ = try compiled.run([ones([2, 8, 768]), ones([3, 8, 768])])
    } catch {
      print(error)
      // input 'y' has size 3 in dimension 0, but 'rows' must be 2 or 1 for batch = 2:
      // batch broadcasts_with rows (node 'node_0' (add))
      message = "\(error)"
    }
    #expect(
      message == "input 'y' has size 3 in dimension 0, but 'rows' must be 2 or 1 for batch = 2: "
        + "batch broadcasts_with rows (node '\(graph.name(of: graph.bodyNodes[0]))' (add))")
  }
}

import FXCore
import FXRuntime
import FXTrace
import Testing

@Suite struct SymbolicTensorTests {
  /// Numbers on either side, in-place operators, comparisons, and the reference executor's answer.
  @Test func operatorsCompute() throws {
    let x = Tensor(vector: [-2, 0, 3] as [Float])
    let cases: [(String, [Float], (SymbolicTensor) -> SymbolicTensor)] = [
      ("x + 1", [-1, 1, 4], { $0 + 1 }),
      ("1 - x", [3, 1, -2], { 1 - $0 }),
      ("x * x / 2", [2, 0, 4.5], { $0 * $0 / 2 }),
      ("-x", [2, 0, -3], { -$0 }),
      (
        "x += …", [0, 4, 10],
        {
          var y = $0 * 2
          y += Tensor(vector: [4, 4, 4] as [Float])
          return y
        }
      ),
      ("where(x .> 0, x, 0.5)", [0.5, 0.5, 3], { `where`($0 .> 0, $0, 0.5) }),
      ("clip", [-1, 0, 2], { clip($0, -1, 2) }),
      ("mean", [0, 0, 0], { ($0 - $0) * mean($0) }),
      ("softmax - softmax", [0, 0, 0], { softmax($0) - exp($0) / sum(exp($0)) + 0 }),
      ("any", [1, 1, 1], { $0 * 0 + any($0 .== 3).cast(to: .float32) }),
      ("all", [0, 0, 0], { $0 * 0 + all(ge($0, 0)).cast(to: .float32) }),
    ]
    for (name, expected, body) in cases {
      let graph = try trace([.like(x)]) { [body($0[0])] }
      let actual: [Float] = try ReferenceExecutor().run(graph, x)[0].elements()
      #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name): \(actual)")
    }
  }

  @Test func shapesStaySymbolic() throws {
    let input = TraceInput.tensor(.float32, ["batch", "seq", 8])
    let cases: [(String, (SymbolicTensor) -> SymbolicTensor)] = [
      ("f32[batch, seq, 2, 4]", { reshape($0, [$0.dimension(0), $0.dimension(1), 2, 4]) }),
      ("f32[batch, 8*seq]", { reshape($0, [$0.dimension(0), -1]) }),
      ("f32[8, seq, batch]", { transpose($0) }),
      ("f32[batch, seq, 16]", { concat($0, $0, axis: -1) }),
      ("f32[batch, seq]", { sum($0, axes: [2]) }),
      ("f32[batch, seq, 3]", { split($0, sizes: [5, 3], axis: 2)[1] }),
      ("f32[batch, seq, seq]", { matmul($0, transpose($0, [0, 2, 1])) }),
      ("f32[batch, 8*seq]", { flatten($0) }),
      ("i64[3]", { shape(of: $0) }),
      ("f32[seq, batch, 8]", { reshape($0, [$0.dimension(1), $0.dimension(0), 8]) }),
      ("f32[batch]", { $0.relu().matmul(transpose($0, [0, 2, 1])).softmax().mean(axes: [1, 2]) }),
    ]
    for (expected, body) in cases {
      _ = try trace([input]) { inputs in
        let result = body(inputs[0])
        #expect(result.type.description == expected)
        return [result]
      }
    }
  }

  /// Each mistake's line is where it says `mistake here`; infix operators, which have none of their own, name the file.
  @Test func mistakesNameTheLine() throws {
    let line = #line
    let bodies: [(Int?, String, (SymbolicTensor, SymbolicTensor) -> SymbolicTensor)] = [
      (
        line + 5, "matmul(f32[2, 3], f32[2, 4]): ",
        { a, b in
          matmul(a, b)  // mistake here
        }
      ),
      (
        nil,
        "add(f32[2, 3], f32[2, 4]): shapes [2, 3] and [2, 4] do not broadcast; "
          + "axis -1 is 3 and 4: sizes must be equal, or one of them 1",
        { a, b in
          let c = relu(a)
          return c + b  // mistake here
        }
      ),
      (
        line + 20, "softmax(f32[2, 3]): axis 5 is out of range for rank 2",
        { a, _ in
          softmax(a, axis: 5) + 1  // mistake here
        }
      ),
      (
        nil, "add(f32[2, 3], i64[2]): ",
        { a, _ in
          a * 2 + Tensor(vector: [1, 2])  // mistake here
        }
      ),
    ]
    for (line, text, body) in bodies {
      let error = #expect(throws: TraceError.self) {
        try trace([.tensor(.float32, [2, 3]), .tensor(.float32, [2, 4])]) { [body($0[0], $0[1])] }
      }
      let description = try #require(error).description
      #expect(description.hasPrefix("FXTraceTests/SymbolicTensorTests.swift:\(line.map { "\($0): " } ?? "")"), "\(description)")
      #expect(description.contains(": \(text)"), "\(description)")
    }
  }

  struct Wrong: Module {
    let layers = Sequential(Linear(3, 4), ReLU())
    static let line = #line + 2
    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      x + layers(x)
    }
  }

  @Test func mistakesInModules() throws {
    let error = #expect(throws: TraceError.self) { try trace(Wrong(), .tensor(.float32, ["n", 3])) }
    #expect(error?.location == Location(file: "FXTraceTests/SymbolicTensorTests.swift", line: Wrong.line))
    let inner = #expect(throws: TraceError.self) { try trace(Wrong(), .tensor(.float32, ["n", 5])) }
    #expect(inner?.location?.modulePath == "layers.0")
    #expect(inner?.op == "linear")
  }

  @Test func foreignTensors() throws {
    var kept: SymbolicTensor?
    _ = try trace([.tensor(.float32, [2])]) {
      kept = $0[0]
      return $0
    }
    let foreign = try #require(kept)
    #expect(
      message { _ = try trace([.tensor(.float32, [2])]) { [$0[0] + foreign] } }
        .hasSuffix("an operand belongs to another trace"))
  }
}

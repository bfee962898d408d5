import FXCore
import FXRuntime
import FXShapes
import Testing

extension TutorialTests {
  @Suite struct DynamicShapes {
    @Test func dynamicDimensions() throws {
      // Create dynamic dimensions
      let batchDim = try DynamicDim("batch", min: 1, max: 1024)
      let seqLen = try DynamicDim("seq_len", min: 1, max: 512)

      // Create dynamic shape
      let dynamicShape = try DynamicShape([
        batchDim,
        seqLen,
        DynamicDim("hidden", min: 768, max: 768),  // Fixed dimension
      ])

      // Create shape info with constraints
      var shapeInfo = DynamicShapeInfo(dynamicShape)
      shapeInfo.addConstraint(.divisible("seq_len", by: 8))

      print("Dynamic shape: \(shapeInfo)")
      print("Twice as long, and one more: \(2 * seqLen + 1)")

      #expect(
        "\(shapeInfo)" == "[batch in 1...1024, seq_len in 1...512, hidden = 768] where seq_len multiple_of 8")
      #expect(dynamicShape.dimensions.map(\.isStatic) == [false, false, true])
      #expect((2 * seqLen + 1).min == 3 && (2 * seqLen + 1).max == 1025 && (seqLen / 8).max == 64)
      #expect(throws: ShapeConstraintError.badRange("batch", min: 3, max: 2)) { try DynamicDim("batch", min: 3, max: 2) }
      try run(shapeInfo)
    }

    private func run(_ shapeInfo: DynamicShapeInfo) throws {
      var graph = Graph()
      let words = try graph.addInput("words", .float32, shapeInfo)
      try graph.addOutput(graph.call(.softmax, [.value(words)]), name: "weights")
      let compiled = try CPUBackend().compiled(graph)

      for sizes in [[1, 8, 768], [7, 16, 768], [1, 512, 768]] {
        let result = try compiled.run([.tensor(Tensor(zeros: .float32, sizes))])[0].tensor
        let numbers = try #require(result).elements(Float.self)
        #expect(result?.shape == sizes && numbers.allSatisfy { $0 == 1 / 768 })
      }
      let refused: [([Int], String)] = [
        ([1, 15, 768], "input 'words' has size 15 in dimension 1, but 'seq_len' must be 8...512, a multiple of 8: "),
        ([1025, 8, 768], "input 'words' has size 1025 in dimension 0, but 'batch' is 1...1024"),
        ([1, 8, 767], "input 'words' is f32[batch, seq_len, 768], f32[1, 8, 767] was given"),
      ]
      for (sizes, message) in refused {
        #expect {
          try compiled.run([.tensor(Tensor(zeros: .float32, sizes))])
        } throws: { "\($0)".hasPrefix(message) }
      }
    }

    @Test func shapeConstraints() throws {
      var context = DynamicShapeInferenceContext()

      // Add constraints
      try context.addConstraint(.equal("batch", "batch2"))
      try context.addConstraint(.divisible("seq_len", by: 8))

      // Validate constraints
      let validation = context.validateConstraints()
      print("Constraints valid: \(validation.isValid), for example \(validation.witness ?? [:])")

      #expect(validation.isValid)
      let witness = try #require(validation.witness)
      #expect(witness["batch"] == witness["batch2"] && witness["seq_len"].map { $0 % 8 } == 0)
      try context.validate(["batch": 3, "batch2": 3, "seq_len": 16])
      #expect(throws: ShapeConstraintError.self) { try context.validate(["batch": 3, "batch2": 4, "seq_len": 16]) }

      try context.addConstraint(.range("batch", min: 1, max: 4))
      do {
        try context.addConstraint(.range("batch2", min: 8, max: 16))
      } catch {
        print(error)  // no sizes satisfy batch == batch2 (…), batch in 1...4 (…), batch2 in 8...16 (…)
      }
      #expect {
        try context.addConstraint(.range("batch2", min: 8, max: 16), origin: "the second input")
      } throws: { error in
        let message = "\(error)"
        return message.hasPrefix("no sizes satisfy batch == batch2 (") && message.contains("batch in 1...4 (")
          && message.hasSuffix("batch2 in 8...16 (the second input)") && !message.contains("seq_len")
      }
      #expect(context.validateConstraints().isValid, "a constraint that is refused is not added")
    }
  }
}

import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import Testing

/// Passes on graphs that nobody thought of.
struct RandomGraphTests {
  private static let passes = StandardPasses.all(executor: ReferenceExecutor())

  /// Graphs of hostile parts, well formed and without meaning: passes that need no types keep them well formed.
  @Test(arguments: 0..<8) func hostile(_ block: UInt64) throws {
    for seed in block * 50..<block * 50 + 50 {
      var random = RandomGraph(seed: seed)
      var graph = try random.make()
      guard (try? graph.verify(.structural)) != nil else { continue }
      for pass in Self.passes where pass.name != "shape-inference" {
        // Without meaning, a graph may be refused, but never broken.
        guard (try? pass.apply(to: &graph)) != nil else { continue }
        try graph.verify(.structural)
        let once = graph
        #expect(try pass.apply(to: &graph).changes == 0, "\(pass.name), seed \(seed)")
        #expect(graph == once, "\(pass.name), seed \(seed)")
      }
    }
  }

  /// Graphs that compute something: every pass, the pipelines and the fast backend keep what they compute. `make fuzz-passes`
  /// tries more of them.
  @Test(arguments: 0..<8) func meaningful(_ block: UInt64) throws {
    let reference = ReferenceExecutor()
    let trial = PassTrial(executor: reference)
    let aggressive = PassManager.aggressiveOptimizationPasses(executor: reference)
    for seed in block * 25..<block * 25 + 25 {
      var program = RandomProgram(seed: 1_000_000 + seed)
      let graph = try program.make()
      do {
        try graph.verify(.executable)
        #expect(try Graph(text: graph.text()) == graph)
        for pass in StandardPasses.all(executor: reference) { try trial.check(pass, on: graph, seed: seed) }
        try trial.check(aggressive, named: "aggressive", on: graph, seed: seed)
        try trial.check(CPUBackend(.init(threads: 1, optimizes: false)), named: "CPU", on: graph, seed: seed)
      } catch {
        Issue.record("seed \(1_000_000 + seed): \(error)")
      }
    }
  }

  /// Operators that random graphs do not call, and why.
  private static let exceptions: [String: String] = [
    "string_concat": "text", "string_split": "text", "string_normalizer": "text", "regex_full_match": "text",
    "tf_idf_vectorizer": "text", "tokenizer": "text", "image_decoder": "files of images",
    "random_normal": "equal up to shape only", "random_uniform": "equal up to shape only",
    "bernoulli": "equal up to shape only", "multinomial": "equal up to shape only",
    "adagrad": "ONNX's cases have it", "adam": "ONNX's cases have it", "momentum": "ONNX's cases have it",
    "group_query_attention": "ONNX's cases have it", "linear_attention": "ONNX's cases have it",
    "flex_attention": "ONNX's cases have it", "deform_conv": "ONNX's cases have it", "col2im": "ONNX's cases have it",
    "matmul_nbits": "ONNX's cases have it", "conv_integer": "ONNX's cases have it", "qlinear_conv": "ONNX's cases have it",
    "max_roi_pool": "ONNX's cases have it", "roi_align": "ONNX's cases have it",
    "non_max_suppression": "ONNX's cases have it", "stft": "ONNX's cases have it",
    "mel_weight_matrix": "ONNX's cases have it", "reverse_sequence": "ONNX's cases have it",
    "split_to_sequence": "ONNX's cases have it", "sequence_map": "ONNX's cases have it", "optional": "ONNX's cases have it",
    "optional_get_element": "ONNX's cases have it", "optional_has_element": "ONNX's cases have it",
    "fused_linear": "passes make it",
  ]

  @Test func everyFamilyOccurs() throws {
    var called: Set<String> = []
    for seed in 0..<600 {
      var program = RandomProgram(seed: UInt64(seed))
      for entry in try program.make().operatorCounts { called.insert(entry.op.description) }
    }
    let missing = OperatorTable.standard.operators.filter { op in
      op.schema?.family != .trees && op.schema?.family != .collective && !op.has(.terminator) && !called.contains(op.description)
        && Self.exceptions[op.description] == nil
    }
    #expect(missing.isEmpty)
    #expect(called.isDisjoint(with: Self.exceptions.keys), "an exception that is none")
  }
}

import FXCore
import FXPasses
import FXRuntime

/// Where a backend differs from the kernels that define the operators, for inputs that are drawn with these sizes.
func mismatches(of backend: any Backend, on graph: Graph, sizes: [String: Int]) throws -> [String] {
  let inputs = try InputSampler(seed: 1, sizes: sizes).inputs(of: graph)
  let (ours, reference) = (try backend.compile(graph).run(inputs), try ReferenceExecutor().run(graph, inputs: inputs))
  return zip(ours, reference).compactMap { a, b in
    if case .differ(let mismatch) = OutputComparison(.reassociates).compare(a, b) { "\(mismatch)" } else { nil }
  }
}

import ArgumentParser
import FXCore
import FXDistributed
import FXRuntime
import Foundation

extension DistributionStrategy: ExpressibleByArgument {
  /// The axis along which the strategy divides; `nil` for those that divide along several.
  fileprivate var axis: String? {
    switch self {
    case .data: "data"
    case .tensor: "tensor"
    case .model, .pipeline: "pipeline"
    case .hybrid, .automatic: nil
    }
  }
}

struct Distribute: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Divide a model among ranks and write what each runs.",
    discussion: """
      Run it with: mpirun -n N fx run --distributed PLAN --outputs FOLDER

      A plan is for certain sizes: what the model leaves open is given by --size, or by --inputs.

      Example:
        fx distribute model.onnx --strategy tensor --ranks 4 --size batch=8 -o plan
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "What is divided: \(DistributionStrategy.allCases.map(\.rawValue).joined(separator: ", ")).")
  var strategy: DistributionStrategy = .automatic
  @Option(help: "The number of ranks.") var ranks: Int
  @Option(help: "Ranks as a grid, such as data=2,tensor=2 or data=2,pipeline=2; by default the strategy's.") var mesh: String?
  @OptionGroup var sizes: SizeOptions
  @Option(help: "Folder with the inputs that the plan is to be for: symbols take their sizes from them.") var inputs: String?
  @Option(help: "Into how many parts a pipeline cuts the batch.") var microBatches: Int?
  @Option(name: .shortAndLong, help: "The folder to write the plan to; without it the plan is only described.")
  var output: String?
  @Flag(help: "A line for each rank.") var table = false

  func validate() throws {
    if !(1...Mesh.mostRanks).contains(ranks) { throw ValidationError("--ranks must be 1 to \(Mesh.mostRanks)") }
    if let microBatches, microBatches < 1 { throw ValidationError("--micro-batches must be at least 1") }
    if let mesh {
      let grid: Mesh
      do { grid = try Mesh(text: mesh) } catch { throw ValidationError("--mesh: \(error)") }
      if grid.size != ranks { throw ValidationError("--mesh \(mesh) has \(grid.size) ranks, --ranks says \(ranks)") }
      if let axis = strategy.axis, grid.size(of: axis) != ranks {
        throw ValidationError(
          "--strategy \(strategy) divides along \(axis) alone, which --mesh \(mesh) does not: hybrid takes any mesh")
      }
    }
  }

  func execute() throws {
    let graph = try ModelFile.read(model)
    var config = DistributedConfig(
      worldSize: ranks, strategy: strategy, sizes: try allSizes(for: graph), microBatches: microBatches)
    config.mesh = try mesh.map { try Mesh(text: $0) }
    let plan: ExecutionPlan
    do {
      plan = try ExecutionPlan(graph, config)
    } catch PlanError.noPipeline(let count) {
      throw ValidationError("--micro-batches \(count): \(PlanError.noPipeline(count))")
    }
    try plan.check()
    if let output { try PlanFolder.write(plan, to: output) }
    Terminal.line(plan.summary)
    guard table else { return }
    Terminal.line("rank  stage  nodes     weights   most alive         sent   arithmetic  communication")
    for rank in plan.partitions {
      Terminal.line(
        "\(rank.rank)".right(4) + "\(rank.stage)".right(7) + "\(rank.nodes)".right(7) + rank.weightBytes.byteText.right(12)
          + rank.peakBytes.byteText.right(13) + rank.bytesSent.byteText.right(13)
          + "\((rank.computeSeconds * 1000).fixed(2)) ms".right(13)
          + "\((rank.communicationSeconds * 1000).fixed(2)) ms".right(15))
    }
  }

  /// The sizes that options give, and those of the inputs where there are some.
  private func allSizes(for graph: Graph) throws -> [String: Int] {
    let given = try sizes.sizes(for: graph)
    var found: [String: Int] = [:]
    for (input, value) in try zip(graph.inputs, inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? []) {
      let type = try graph.type(of: input)
      guard let expected = type.tensorType, let shape = expected.shape else { continue }
      guard let tensor = value.tensor, expected.admits(tensor.type) else {
        throw ExecutionError.inputType(graph.name(of: input), expected: type, actual: value.type)
      }
      for (axis, (dimension, size)) in zip(shape, tensor.shape).enumerated() {
        guard let symbol = dimension.symbol else { continue }
        if let earlier = found.updateValue(size, forKey: symbol), earlier != size {
          throw ExecutionError.symbolConflict(
            symbol: symbol, input: graph.name(of: input), dimension: axis, size: size, earlier: earlier)
        }
      }
    }
    for (symbol, size) in given {
      if let other = found[symbol], other != size {
        throw ValidationError("--size \(symbol)=\(size): the inputs in \(inputs ?? "") have \(other)")
      }
    }
    let all = found.merging(given) { _, given in given }
    try SizeOptions.require(graph.inputSymbols.subtracting(all.keys))
    return all
  }
}

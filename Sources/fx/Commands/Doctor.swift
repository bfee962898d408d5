import ArgumentParser
import FXCodegen
import FXCore
import FXDistributed
import FXRuntime
import Foundation

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What this machine has: processor, kernels, libraries, compilers, and the stacks that programs are checked with.",
    discussion: """
      Nothing is installed and nothing sent. Ends with status 1 if the kernels give wrong results here.

      Example:
        fx doctor
      """)

  @Option(help: "A Python interpreter to look into.")
  var python = ProcessInfo.processInfo.environment["FX_CODEGEN_PYTHON"] ?? "python3"

  func run() throws {
    say("fx", Version.current)
    let host = ProcessInfo.processInfo
    say("system", "\(host.operatingSystemVersionString), \(host.activeProcessorCount) of \(host.processorCount) cores")
    say("memory", Int(clamping: host.physicalMemory).byteText)
    say(
      "kernels",
      "\(HostInfo.instructionSet), vectors of \(HostInfo.vectorWidth) floats; here run \(HostInfo.instructionSets.joined(separator: ", "))"
    )
    say("peak", String(format: "%.0f GFLOP/s on one core, measured", MachinePeak.operationsPerSecond() / 1e9))
    say("BLAS", HostInfo.blas ?? "none: products of f64 run on the reference kernels")
    let engines = CommunicationBackendType.available.map(\.rawValue).joined(separator: ", ")
    say("distributed", engines.isEmpty ? "threads of one process; this build has no MPI (build with `--traits MPI`)" : engines)
    for (name, arguments, use) in Self.tools {
      say(name, (firstLine(name, arguments) ?? "not found") + ": \(use)")
    }
    for (module, use) in Self.modules {
      let version = firstLine(python, ["-c", "import \(module); print(getattr(\(module), '__version__', 'there'))"])
      say("\(python) \(module)", (version ?? "not found") + ": \(use)")
    }
    try checkKernels()
    say("result", "a model runs on the fast kernels as on the reference kernels")
  }

  private static let tools: [(String, [String], String)] = [
    ("g++", ["--version"], "fx compile, and C++ programs that are verified"),
    ("nvcc", ["--version"], "CUDA programs"),
    ("mpirun", ["--version"], "distributed runs"),
    ("dot", ["-V"], "drawings from fx visualize"),
  ]
  private static let modules: [(String, String)] = [
    ("numpy", "NumPy programs"), ("torch", "PyTorch and LibTorch programs"), ("jax", "XLA programs"),
    ("onnx", "the checker"), ("onnxruntime", "comparison"),
  ]

  private func say(_ subject: String, _ finding: String) { Terminal.line(subject.left(20) + finding) }

  /// The first line that a program prints; `nil` if it is not there or fails.
  private func firstLine(_ program: String, _ arguments: [String]) -> String? {
    guard let output = try? Subprocess.run(program, arguments, timeout: 120), output.status == 0 else { return nil }
    return output.text.split(separator: "\n").first.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// A small network on both executors.
  private func checkKernels() throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @doctor(%x: f32[2, 3, 20, 20]) {
          parameter @w: f32[33, 3, 3, 3] weight
          parameter @v: f32[40, 33, 3, 3] weight
          parameter @m: f32[10, 40] weight
          %a = conv(%x, @w) {pads = [1, 1, 1, 1]}
          %b = silu(%a)
          %c = conv(%b, @v)
          %d = global_average_pool(%c)
          %e = flatten(%d)
          %f = linear(%e, @m)
          %y = softmax(%f)
          return %y
        }
        """)
    try graph.initializeParameters(seed: 1)
    let shape = [2, 3, 20, 20]
    let x = try Tensor(shape, (0..<2400).map { Float($0 % 37) / 37 - 0.5 })
    let values = try [CPUBackend(), ReferenceExecutor()].map { (executor: any GraphExecutor) in
      try executor.run(graph, inputs: [.tensor(x)])[0].tensor?.numbers().doubles ?? []
    }
    let difference = zip(values[0], values[1]).map { abs($0 - $1) }.max() ?? .infinity
    guard difference < 1e-5 else {
      throw CheckFailed(message: "a result of the fast kernels is \(difference) off: please report this machine's processor")
    }
  }
}

import FXCodegen
import FXCore
import Foundation
import Testing

/// ONNX's official node cases as C++ and CUDA programs. `make test` compiles a few; `make codegen-native` all.
@Suite struct NativeCaseTests {
  private static let flags = ["g++", "-std=c++17", "-Wall", "-Wextra", "-Werror"]
  private static let environment = ProcessInfo.processInfo.environment
  /// Whether all cases are compiled, and what is refused is printed.
  private static let isFull = environment["FX_NATIVE"] != nil

  /// The folders of the cases to run: of every thirtieth, so that every family is met, unless all are asked for.
  private static func folders() throws -> [String] {
    let root = try #require(environment["FX_CASES"], "`make test` writes the cases and says where") + "/node"
    let all = try NativeCase.folders(in: root)
    if let filter = environment["FX_NATIVE_FILTER"] { return try all.filter { $0.contains(try Regex(filter)) } }
    return isFull ? all : all.enumerated().filter { $0.offset % 30 == 0 }.map(\.element)
  }

  private static func options(_ variable: String) -> [String] {
    (environment[variable] ?? "-O1").split(separator: " ").map(String.init)
  }

  private static func check(_ sweep: NativeSweep, _ target: String, of count: Int) {
    if isFull, environment["FX_NATIVE_FILTER"] == nil {
      // A result whose size depends on elements has no place in memory that is planned; ONNX's cases have no such loop, which
      // `ProgramTests.nativeProgramsRun` runs.
      let core = OperatorTable.standard.operators.filter { $0.has(.core) }
      #expect(Set(core.filter { !sweep.operators.contains($0) }.map(\.name)) == ["nonzero", "while_loop"])
    }
    if isFull {
      print("\(target): \(sweep.summary)")
      for (reason, names) in sweep.refused.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
        print("refused \(names.count): \(reason.prefix(200)) (\(names[0]))")
      }
    }
    #expect(sweep.failed.isEmpty, "\(sweep.failed.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: "\n"))")
    #expect(sweep.passed.count > count / 2)
  }

  @Test func stdCpp() throws {
    let folders = try Self.folders()
    let runner = try NativeRunner(compiler: Self.flags + Self.options("FX_NATIVE_FLAGS"))
    defer { if Self.environment["FX_NATIVE_KEEP"] == nil { runner.remove() } }
    Self.check(try NativeSweep(folders, target: StdCppTarget(), runner: runner), "std_cpp", of: folders.count)
  }

  /// On the CPU through a stand-in for CUDA's run time, with threads in three orders.
  @Test func cuda() throws {
    let folders = try Self.folders()
    let shim = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Shim").path
    var runner = try NativeRunner(compiler: Self.flags + Self.options("FX_CUDA_FLAGS") + ["-I" + shim])
    defer { if Self.environment["FX_NATIVE_KEEP"] == nil { runner.remove() } }
    (runner.suffix, runner.headers) = (".cu", ["fx_cuda.h"])
    let orders = ["forward", "reverse", "random"].map { ["FX_THREAD_ORDER": $0] }
    Self.check(try NativeSweep(folders, target: CudaTarget(), runner: runner, environments: orders), "cuda", of: folders.count)
  }

  /// By NVIDIA's compiler, for compute capabilities 8.0 and 9.0: no device is needed to compile.
  @Test(.enabled(if: environment["FX_NVCC"] != nil, "FX_NVCC names no compiler: `make codegen-native` installs one"))
  func cudaCompiles() throws {
    let nvcc = try #require(Self.environment["FX_NVCC"])
    var runner = try NativeRunner(
      compiler: [
        nvcc, "-x", "cu", "-std=c++17", "-O1", "--expt-relaxed-constexpr", "-gencode", "arch=compute_80,code=sm_80", "-gencode",
        "arch=compute_90,code=sm_90",
      ])
    defer { runner.remove() }
    (runner.suffix, runner.headers) = (".cu", ["fx_cuda.h"])
    let generator = CodeGenerator(targets: [CudaTarget()])
    for folder in try Self.folders() {
      guard let item = try? NativeCase(folder: folder),
        let program = try? generator.generate(item.graph, target: "cuda", CodegenOptions(name: item.name))
      else { continue }
      try runner.add(item.name, program, item.inputs)
    }
    #expect(runner.names.count > 10)
    try runner.compile()
  }
}

import FXCore
import Foundation

extension StdCppTarget: VerifiableTarget {
  /// Programs become shared libraries of the machine's compiler, and run in this process.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    LibraryRunner(
      compiler: environment.compiler, options: NativeCompiler.libraryOptions + ["-O2", "-march=native"],
      libraries: usesBLAS ? ["-lopenblas"] : [], header: usesBLAS ? "cblas.h" : nil, isRunnable: true,
      timeout: environment.timeout)
  }
}

extension CudaTarget: VerifiableTarget {
  /// Programs become shared libraries for compute capabilities 8.0 and 9.0, and run where there is a device.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    // What the driver makes when it is loaded.
    let hasDevice = FileManager.default.fileExists(atPath: "/dev/nvidiactl")
    let architectures = ["80", "90"].flatMap { ["-gencode", "arch=compute_\($0),code=sm_\($0)"] }
    return LibraryRunner(
      compiler: environment.nvcc,
      options: ["-std=c++17", "-O3", "--expt-relaxed-constexpr", "-shared", "-Xcompiler", "-fPIC", "-DFX_SHARED"] + architectures,
      libraries: [], header: nil, isRunnable: hasDevice, timeout: environment.timeout)
  }
}

extension TensorRTTarget: VerifiableTarget {
  /// Programs are parsed where TensorRT's headers are: an engine can be built on a device alone.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    SyntaxRunner(compiler: environment.compiler, header: "NvInfer.h", timeout: environment.timeout)
  }
}

/// Compiles each program to a shared library and, where that is possible, loads and runs it.
private struct LibraryRunner: ProgramRunner {
  let compiler: String
  let options: [String]
  /// What the linker is told after the program.
  let libraries: [String]
  /// A header that machines may lack.
  let header: String?
  /// Whether libraries can run here.
  let isRunnable: Bool
  let timeout: Double

  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    if let reason = missing(compiler) { return jobs.map { _ in .skipped(reason) } }
    return try jobs.map { job in
      let library = "\(job.folder)/lib\(job.name).so"
      let arguments = options + [job.source, "-o", library] + libraries
      let built = try Subprocess.run(compiler, arguments, timeout: timeout)
      guard built.status == 0 else { return failure(of: built, header) }
      guard isRunnable else { return .compiled }
      let weights = "\(job.folder)/\(job.name).weights"
      do {
        let model = try CompiledModel(path: library, weights: FileManager.default.fileExists(atPath: weights) ? weights : nil)
        return .executed(try model.run(job.inputs))
      } catch {
        return .failed("\(error)")
      }
    }
  }
}

/// Lets a compiler read each program, which writes nothing.
private struct SyntaxRunner: ProgramRunner {
  let compiler: String
  let header: String
  let timeout: Double

  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    if let reason = missing(compiler) { return jobs.map { _ in .skipped(reason) } }
    return try jobs.map { job in
      let read = try Subprocess.run(compiler, ["-std=c++17", "-fsyntax-only", job.source], timeout: timeout)
      return read.status == 0 ? .parsed : failure(of: read, header)
    }
  }
}

extension ProgramJob {
  /// The path of the main program.
  fileprivate var source: String { "\(folder)/\(program.files.first?.name ?? "")" }
}

/// Why a compiler cannot be used; `nil` if it can.
private func missing(_ compiler: String) -> String? {
  (try? Subprocess.run(compiler, ["--version"], timeout: 60))?.status == 0 ? nil : "'\(compiler)' does not start"
}

/// What a compiler did not like. A header that is not there is no fault of the program.
private func failure(of output: Subprocess.Output, _ header: String?) -> ProgramRun {
  let lines = output.text.split(whereSeparator: \.isNewline).map(String.init)
  let first = lines.first { $0.contains("error") } ?? output.lastLine
  if let header, first.contains(header), first.contains("No such file") {
    return .skipped("\(header) is not where the compiler looks for headers")
  }
  return .failed(first)
}

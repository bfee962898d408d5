import ArgumentParser
import FXCodegen
import FXCore
import FXPasses
import FXRuntime
import Foundation

struct Compile: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a model to a shared library that needs nothing but the C and C++ libraries.",
    discussion: """
      The model is optimized, written as C++ (see `fx codegen --target std_cpp`) and compiled with the machine's compiler. \
      The library has the C interface of fx_interface.h; its weights are part of it. Sizes are fixed: give those that the \
      model leaves open with --size or --shape.

      Examples:
        fx compile model.onnx -o libmodel.so --size batch=1
        fx compile model.onnx -o libmodel.so --shape input=1,3,224,224 --flags=-O2
      """)

  @Argument(help: "The model.") var model: String
  @Option(name: .shortAndLong, help: "The library to write.") var output: String
  @OptionGroup var shapes: ShapeOptions
  @Option(help: "The C++ compiler.") var compiler = "g++"
  @Option(help: "What the compiler is told beside what it needs.") var flags = "-O3 -march=native"
  @Option(help: "A folder that keeps the code.") var keep: String?
  @Flag(help: "Leave products of matrices to OpenBLAS.") var blas = false
  @Flag(help: "Write the model as it is, without optimizing it first.") var plain = false

  func execute() throws {
    try OutputFile.check(output)
    var graph = try ModelFile.read(model)
    try shapes.apply(to: &graph)
    let passes = PassManager.defaultOptimizationPasses(executor: plain ? nil : ReferenceExecutor())
    if !plain { try passes.run(&graph) }
    var compiler = NativeCompiler()
    compiler.compiler = self.compiler
    compiler.options = flags.split(separator: " ").map(String.init)
    compiler.target = StdCppTarget(usesBLAS: blas)
    let start = ContinuousClock.now
    try compiler.compile(graph, to: output, keeping: keep)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let compiled = try CompiledModel(path: output)
    for port in compiled.inputs { Terminal.line("input  \(port.name): \(port.type)") }
    for port in compiled.outputs { Terminal.line("output \(port.name): \(port.type)") }
    let size = try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int ?? 0
    Terminal.line("arena  \(compiled.arenaByteCount.byteText)")
    Terminal.line("\(output): \(size.byteText), compiled in \(String(format: "%.1f", seconds)) s")
  }
}

import FXCore
import FXPasses
import Foundation

/// Builds a graph as a shared library: code for `std_cpp`, compiled by the machine's C++ compiler.
///
/// ```swift
/// try NativeCompiler().compile(graph, to: "libmodel.so")
/// let model = try CompiledModel(path: "libmodel.so")
/// ```
public struct NativeCompiler: Sendable {
  /// The compiler's name or path: g++ or one that takes its options.
  public var compiler = "g++"
  /// Options beside those that make a library.
  public var options = ["-O3", "-march=native"]
  /// What writes the code. If it leaves products to a CBLAS, the library is linked with OpenBLAS.
  public var target = StdCppTarget()

  /// What makes a library of a program for `std_cpp`.
  static let libraryOptions = ["-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-DFX_SHARED"]

  /// `g++ -O3 -march=native`: the library is for the kind of processor that it is built on.
  public init() {}

  /// Writes the library; weights are part of it.
  /// - Parameters:
  ///   - path: of the library.
  ///   - sources: a folder that keeps the code; without one it goes when the library is there.
  /// - Throws: `CodegenError`; `NativeCompilerError` with what the compiler said.
  public func compile(_ graph: Graph, to path: String, keeping sources: String? = nil) throws {
    let name = Identifiers.sanitized(((path as NSString).lastPathComponent as NSString).deletingPathExtension)
    let program = try CodeGenerator(targets: [target]).generate(graph, target: target.name, CodegenOptions(name: name))
    let folder = sources ?? NSTemporaryDirectory() + "fx-\(ProcessInfo.processInfo.globallyUniqueString)"
    defer { if sources == nil { try? FileManager.default.removeItem(atPath: folder) } }
    try program.write(to: folder)
    // Written beside its place and moved, so that no half a library is ever loaded.
    let unfinished = path + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
    defer { try? FileManager.default.removeItem(atPath: unfinished) }
    let main = program.files.first?.name ?? ""
    var arguments = NativeCompiler.libraryOptions + options
    let weights = folder + "/" + main.replacing(".cpp", with: ".weights")
    if FileManager.default.fileExists(atPath: weights) { arguments.append("-DFX_WEIGHTS=\"\(weights)\"") }
    arguments += [folder + "/" + main, "-o", unfinished]
    if target.usesBLAS { arguments.append("-lopenblas") }
    // What cannot be started is as little there as what the shell does not find.
    let built = (try? Subprocess.run(compiler, arguments)) ?? Subprocess.Output(status: 127, text: "")
    guard built.status == 0 else {
      throw NativeCompilerError(compiler: compiler, status: built.status, output: built.text)
    }
    guard rename(unfinished, path) == 0 else { throw FileError(path: path, operation: .create, code: errno) }
  }
}

/// The compiler is not there, or did not like the code.
public struct NativeCompilerError: Error, Sendable, CustomStringConvertible {
  /// The name or path by which the compiler was called.
  public let compiler: String
  /// The compiler's exit status; 127 if there is no such program.
  public let status: Int32
  /// All that the compiler printed.
  public let output: String

  public var description: String {
    if status == 127 { return "there is no compiler '\(compiler)' on this machine" }
    let first = output.split(separator: "\n").first { $0.contains("error") } ?? output.split(separator: "\n").first ?? ""
    return "\(compiler) failed with status \(status): \(first)"
  }
}

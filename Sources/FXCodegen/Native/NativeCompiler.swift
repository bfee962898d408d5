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
  public var target = StdCppTarget()

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
    var arguments = ["-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-DFX_SHARED"] + options
    let weights = folder + "/\(name).weights"
    if FileManager.default.fileExists(atPath: weights) { arguments.append("-DFX_WEIGHTS=\"\(weights)\"") }
    arguments += [folder + "/\(name).cpp", "-o", unfinished]
    if target.usesBLAS { arguments.append("-lopenblas") }
    try NativeCompiler.run(compiler, arguments)
    guard rename(unfinished, path) == 0 else { throw FileError(path: path, operation: .create, code: errno) }
  }

  /// Runs a program and waits for it.
  static func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw NativeCompilerError(
        compiler: program, status: process.terminationStatus, output: String(decoding: said, as: UTF8.self))
    }
  }
}

/// The compiler is not there, or did not like the code.
public struct NativeCompilerError: Error, Sendable, CustomStringConvertible {
  public let compiler: String
  public let status: Int32
  public let output: String

  public var description: String {
    if status == 127 { return "there is no compiler '\(compiler)' on this machine" }
    let first = output.split(separator: "\n").first { $0.contains("error") } ?? output.split(separator: "\n").first ?? ""
    return "\(compiler) failed with status \(status): \(first)"
  }
}

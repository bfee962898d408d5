import FXCodegen
import FXCore
import Foundation

/// Compiles the programs of many models in few translation units, and runs them.
struct NativeRunner {
  let folder: String
  /// The compiler with its options; sources and the output follow.
  var compiler: [String]
  /// What each program's main file ends with.
  var suffix = ".cpp"
  /// Headers that are included before any program, so that programs can stand in namespaces.
  var headers = ["fx_lines.h", "fx_matmul.h", "fx_model.h"]
  /// Programs in one translation unit.
  var unitSize = 120
  private(set) var names: [String] = []

  init(compiler: [String]) throws {
    folder = NSTemporaryDirectory() + "fx-native-" + UUID().uuidString
    self.compiler = compiler
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Adds a program, named as it was generated, and the inputs it shall have.
  mutating func add(_ name: String, _ program: GeneratedProgram, _ inputs: [Tensor]) throws {
    for file in program.files where names.isEmpty || file.name.hasPrefix(name) {
      try Data(file.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"))
    }
    for (index, input) in inputs.enumerated() {
      try input.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: "\(folder)/\(name).input\(index)")) }
    }
    names.append(name)
  }

  /// Compiles all programs, and gives the objects.
  /// - Throws: what the compiler said.
  @discardableResult
  func compile() throws -> [String] {
    var units: [String] = []
    for (number, start) in stride(from: 0, to: names.count, by: unitSize).enumerated() {
      let part = names[start..<min(start + unitSize, names.count)]
      let text =
        headers.map { "#include \"\($0)\"\n" }.joined()
        + part.map { "namespace program_\($0) {\n#include \"\($0)\(suffix)\"\n}\n" }.joined()
      units.append(try write(text, "unit\(number).cpp"))
    }
    return try compile(units)
  }

  private func compile(_ units: [String]) throws -> [String] {
    // As many at once as there are cores; what is wrong with any is told of all.
    let sources = units.map { "\(folder)/\($0)" }.joined(separator: "\n")
    let command = compiler.map { "'\($0)'" }.joined(separator: " ")
    try shell(["bash", "-c", "xargs -P $(nproc) -I{} \(command) -c {} -o {}.o <<< '\(sources)'"])
    return units.map { "\(folder)/\($0).o" }
  }

  /// Compiles all into a driver, whose path it gives.
  /// - Throws: what the compiler said.
  func build() throws -> String {
    let objects = try compile() + compile([write(driver, "driver.cpp")])
    let binary = "\(folder)/driver"
    try shell(
      [compiler[0]] + compiler.dropFirst().filter { $0.hasPrefix("-fsan") || $0.hasPrefix("-l") } + objects + ["-o", binary])
    return binary
  }

  /// Runs all; gives the results of each program, or what it reported.
  /// - Throws: what the driver said.
  func run(
    _ binary: String, outputs: [String: [TensorType]], environment: [String: String]
  ) throws -> [String: Result<[Tensor], RunFailure>] {
    let said = try shell([binary, folder], environment: environment)
    var results: [String: Result<[Tensor], RunFailure>] = [:]
    for line in said.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count >= 2, let types = outputs[words[0]] else { continue }
      guard words[1] == "0" else {
        results[words[0]] = .failure(RunFailure(text: words.count > 2 ? words[2] : words[1]))
        continue
      }
      results[words[0]] = .success(
        try types.enumerated().map { index, type in
          let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(words[0]).output\(index)"))
          return try data.withUnsafeBytes { try Tensor(type.elementType, type.shape?.sizes ?? [], bytes: $0) }
        })
    }
    return results
  }

  struct RunFailure: Error { let text: String }
  struct CommandFailure: Error, CustomStringConvertible { let description: String }

  private func write(_ text: String, _ name: String) throws -> String {
    try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    return name
  }

  /// Runs each program on its files, once more than once, so that what a run leaves behind shows.
  private var driver: String {
    """
    #include "fx_interface.h"
    #include <cstdio>
    #include <string>
    #include <vector>
    extern "C" {
    \(names.map { "const fx_interface* \($0)_interface(void);" }.joined(separator: "\n"))
    }
    static const fx_interface* (*const programs[])(void) = {
    \(names.map { "\($0)_interface," }.joined(separator: "\n"))
    };
    static const char* const names[] = {
    \(names.map { "\"\($0)\"," }.joined(separator: "\n"))
    };
    int main(int, char** arguments) {
      const std::string folder = arguments[1];
      for (std::size_t i = 0; i < sizeof programs / sizeof *programs; ++i) {
        const fx_interface& program = *programs[i]();
        const std::string path = folder + "/" + names[i];
        std::vector<std::vector<unsigned char>> arrays;
        std::vector<const void*> inputs;
        std::vector<void*> outputs;
        bool complete = true;
        for (int n = 0; n < program.input_count; ++n) {
          arrays.emplace_back(program.inputs[n].bytes);
          std::FILE* file = std::fopen((path + ".input" + std::to_string(n)).c_str(), "rb");
          std::vector<unsigned char>& array = arrays.back();
          // An empty vector has no address.
          complete = complete && file && (array.empty() || std::fread(array.data(), 1, array.size(), file) == array.size());
          if (file) std::fclose(file);
        }
        for (int n = 0; n < program.output_count; ++n) arrays.emplace_back(program.outputs[n].bytes, 0xff);
        for (int n = 0; n < program.input_count; ++n) inputs.push_back(arrays[std::size_t(n)].data());
        for (int n = 0; n < program.output_count; ++n) {
          outputs.push_back(arrays[std::size_t(program.input_count + n)].data());
        }
        void* model = nullptr;
        int status = complete ? program.create((path + ".weights").c_str(), &model) : -1;
        for (int turn = 0; turn < 2 && status == 0; ++turn) status = program.run(model, inputs.data(), outputs.data());
        program.destroy(model);
        for (int n = 0; n < program.output_count && status == 0; ++n) {
          const std::vector<unsigned char>& array = arrays[std::size_t(program.input_count + n)];
          std::FILE* file = std::fopen((path + ".output" + std::to_string(n)).c_str(), "wb");
          if (!file || (!array.empty() && std::fwrite(array.data(), 1, array.size(), file) != array.size())) status = -1;
          if (file) std::fclose(file);
        }
        std::printf("%s %d %s\\n", names[i], status, status < 0 ? "files" : program.message(status));
      }
    }

    """
  }
}

/// Runs a command and gives what it printed.
@discardableResult
func shell(_ command: [String], environment: [String: String] = [:]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = command
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw NativeRunner.CommandFailure(
      description: "\(command.joined(separator: " ").prefix(300)): status \(process.terminationStatus): \(text.prefix(6000))")
  }
  return text
}

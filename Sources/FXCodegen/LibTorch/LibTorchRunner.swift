import FXCore
import FXTrace
import Foundation

extension LibTorchTarget: VerifiableTarget {
  /// Programs are compiled into one against the LibTorch of the environment's Python, and skipped where that has none.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner { LibTorchRunner(environment: environment) }
}

/// Compiles programs into one, because the headers take longer than most programs, against the LibTorch that the Python
/// package of PyTorch has inside, and runs it.
private struct LibTorchRunner: ProgramRunner {
  let environment: RunnerEnvironment

  func run(_ jobs: [ProgramJob]) throws -> [ProgramRun] {
    let find = "import os, torch; print(os.path.dirname(torch.__file__))"
    guard let found = try? Subprocess.run(environment.python, ["-c", find], timeout: 120), found.status == 0 else {
      return jobs.map { _ in .skipped("\(environment.python) has no torch, whose LibTorch would serve") }
    }
    let torch = found.lastLine
    guard (try? Subprocess.run(environment.compiler, ["--version"], timeout: 60))?.status == 0 else {
      return jobs.map { _ in .skipped("'\(environment.compiler)' does not start") }
    }
    guard let root = jobs.first.map({ ($0.folder as NSString).deletingLastPathComponent }) else { return [] }
    let files = JobFiles(root: root, storage: TorchTypes.storage)
    // Several translation units, none larger than memory allows. A program that does not compile is left out.
    let size = 150
    var failures: [Int: String] = [:]
    var parts: [[Int]] = []
    for start in stride(from: 0, to: jobs.count, by: size) {
      var part = Array(start..<min(start + size, jobs.count))
      let base = "\(root)/part_\(parts.count)"
      while true {
        try AtomicFile.write([UInt8](LibTorchRunner.part(part.map { jobs[$0] }, parts.count).utf8), to: base + ".cpp")
        let arguments = [
          "-std=c++20", "-O0", "-w", "-I\(torch)/include", "-I\(torch)/include/torch/csrc/api/include", "-I\(root)", "-c",
          base + ".cpp", "-o", base + ".o",
        ]
        let built = try Subprocess.run(environment.compiler, arguments, timeout: environment.timeout)
        if built.status == 0 { break }
        let errors = built.text.split(whereSeparator: \.isNewline).filter { $0.contains("error") }
        let broken = part.filter { job in errors.contains { $0.contains("/\(jobs[job].name).cpp:") } }
        guard !broken.isEmpty else { return jobs.map { _ in .failed(errors.first.map(String.init) ?? built.lastLine) } }
        for job in broken {
          failures[job] = errors.first { $0.contains("/\(jobs[job].name).cpp:") }.map(String.init) ?? "does not compile"
        }
        part.removeAll(where: broken.contains)
      }
      parts.append(part)
    }
    try AtomicFile.write([UInt8](LibTorchRunner.main(parts.count).utf8), to: "\(root)/main.cpp")
    let linked = try Subprocess.run(
      environment.compiler,
      ["-std=c++20", "-O0", "-w", "-I\(torch)/include", "\(root)/main.cpp"] + parts.indices.map { "\(root)/part_\($0).o" } + [
        "-o", "\(root)/programs", "-L\(torch)/lib", "-Wl,-rpath,\(torch)/lib", "-Wl,--no-as-needed", "-ltorch", "-ltorch_cpu",
        "-lc10",
      ], timeout: environment.timeout)
    guard linked.status == 0 else { return jobs.map { _ in .failed(linked.lastLine) } }
    let compiled = parts.flatMap(\.self)
    try AtomicFile.write([UInt8](try list(compiled.map { jobs[$0] }, files).utf8), to: "\(root)/jobs.txt")
    let output = try Subprocess.run("\(root)/programs", [root], timeout: environment.timeout)
    var runs = jobs.indices.map { ProgramRun.failed(failures[$0] ?? "not run") }
    for (job, run) in zip(compiled, try files.answers(to: compiled.map { jobs[$0] }, output)) { runs[job] = run }
    return runs
  }

  /// The jobs as the program reads them: folder, number of inputs, and a file and a type for each.
  private func list(_ jobs: [ProgramJob], _ files: JobFiles) throws -> String {
    var list = ""
    for job in jobs {
      list += "\(job.folder)\n\(job.inputs.count)\n"
      for (index, value) in job.inputs.enumerated() {
        guard case .file(let path, let type) = try files.write(value, to: "\(job.folder)/input_\(index)") else {
          throw ExecutionError.notATensor(value.type)
        }
        list += "\(path)\n\(type ?? "")\n"
      }
    }
    return list
  }

  /// One translation unit of several programs: a function that runs each.
  private static func part(_ jobs: [ProgramJob], _ number: Int) -> String {
    var text = jobs.map { "#include \"\(($0.folder as NSString).lastPathComponent)/\($0.name).cpp\"\n" }.joined()
    text += "using Program = std::vector<at::Tensor> (*)(const std::vector<at::Tensor>&, const std::string&);\n"
    text += "std::vector<Program> part_\(number)() {\n  return {\n"
    for job in jobs {
      let hasWeights = job.program.files.count > 1
      let model =
        "\(job.name)::\(Identifiers.capitalized(job.name)) model" + (hasWeights ? "(folder + \"/\(job.name).safetensors\")" : "")
      let call = "model.forward(\(job.inputs.indices.map { "x[\($0)]" }.joined(separator: ", ")))"
      text += "    [](const std::vector<at::Tensor>& x, const std::string& folder) -> std::vector<at::Tensor> {\n"
      text += "      const \(model);\n      return " + (job.resultTypes.count == 1 ? "{\(call)}" : call) + ";\n    },\n"
    }
    return text + "  };\n}\n"
  }

  private static func main(_ parts: Int) -> String {
    """
    #include <ATen/ATen.h>
    #include <ATen/core/grad_mode.h>

    #include <fstream>
    #include <iostream>
    #include <map>

    using Program = std::vector<at::Tensor> (*)(const std::vector<at::Tensor>&, const std::string&);
    \((0..<parts).map { "std::vector<Program> part_\($0)();" }.joined(separator: "\n"))

    const std::map<std::string, at::ScalarType> kinds = {
        {"f8", at::kDouble}, {"f4", at::kFloat}, {"f2", at::kHalf}, {"i8", at::kLong}, {"i4", at::kInt}, {"i2", at::kShort},
        {"i1", at::kChar}, {"u8", at::kUInt64}, {"u4", at::kUInt32}, {"u2", at::kUInt16}, {"u1", at::kByte}, {"b1", at::kBool},
        {"c8", at::kComplexFloat}, {"c16", at::kComplexDouble}};
    const std::map<std::string, at::ScalarType> types = {
        {"bf16", at::kBFloat16}, {"f8e4m3fn", at::kFloat8_e4m3fn}, {"f8e4m3fnuz", at::kFloat8_e4m3fnuz},
        {"f8e5m2", at::kFloat8_e5m2}, {"f8e5m2fnuz", at::kFloat8_e5m2fnuz}};

    at::Tensor read(const std::string& path, const std::string& type) {
      std::ifstream file(path, std::ios::binary);
      std::string bytes(std::istreambuf_iterator<char>(file), {});
      const size_t length = static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
      const std::string header = bytes.substr(10, length);
      const auto code = header.find("'descr': '") + 11;
      std::vector<int64_t> shape;
      for (auto at = header.find("'shape': (") + 10; header[at] != ')';) {
        size_t used = 0;
        shape.push_back(std::stoll(header.substr(at), &used));
        at += used;
        while (header[at] == ',' || header[at] == ' ') ++at;
      }
      auto tensor = at::empty(shape, kinds.at(header.substr(code, header.find('\\'', code) - code)));
      std::memcpy(tensor.data_ptr(), bytes.data() + 10 + length, tensor.nbytes());
      return types.count(type) ? tensor.to(types.at(type)) : tensor;
    }

    // Writes a tensor; gives the name of its type where files have none for it.
    std::string write(at::Tensor tensor, const std::string& path) {
      std::string name, kind;
      for (const auto& [known, type] : types) if (tensor.scalar_type() == type) name = known;
      if (!name.empty()) tensor = tensor.to(at::kFloat);
      tensor = tensor.contiguous();
      for (const auto& [known, type] : kinds) if (tensor.scalar_type() == type) kind = known;
      std::string shape;
      for (const auto size : tensor.sizes()) shape += std::to_string(size) + ",";
      std::string header = "{'descr': '<" + kind + "', 'fortran_order': False, 'shape': (" + shape + "), }";
      header.append(63 - (10 + header.size()) % 64, ' ').append("\\n");
      std::ofstream file(path, std::ios::binary);
      const char start[] = {'\\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
      file.write(start, 10).write(header.data(), header.size());
      file.write(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
      return name;
    }

    int main(int, char** arguments) {
      const at::NoGradGuard guard;
      const std::string root = arguments[1];
      std::vector<Program> programs;
      for (const auto& part : {\((0..<parts).map { "part_\($0)()" }.joined(separator: ", "))})
        programs.insert(programs.end(), part.begin(), part.end());
      std::ifstream jobs(root + "/jobs.txt");
      std::ofstream answers(root + "/answers.jsonl");
      std::string folder, line, type;
      for (size_t number = 0; std::getline(jobs, folder); ++number) {
        std::getline(jobs, line);
        const int count = std::stoi(line);
        std::vector<std::pair<std::string, std::string>> files;
        for (int i = 0; i < count; ++i) {
          std::getline(jobs, line);
          std::getline(jobs, type);
          files.emplace_back(line, type);
        }
        try {
          std::vector<at::Tensor> inputs;
          for (const auto& [path, name] : files) inputs.push_back(read(path, name));
          const auto results = programs.at(number)(inputs, folder);
          std::string text;
          for (size_t i = 0; i < results.size(); ++i) {
            const std::string path = folder + "/result_" + std::to_string(i) + ".npy";
            text += (i ? "," : "") + ("{\\"file\\":\\"" + path + "\\",\\"type\\":\\"" + write(results[i], path) + "\\"}");
          }
          answers << "{\\"job\\":" << number << ",\\"results\\":[" << text << "]}" << std::endl;
        } catch (const std::exception& error) {
          std::string text = std::string(error.what()).substr(0, 300);
          for (auto& letter : text) if (letter == '"' || letter == '\\\\' || letter < ' ') letter = ' ';
          answers << "{\\"job\\":" << number << ",\\"error\\":\\"" << text << "\\"}" << std::endl;
        }
      }
    }
    """
  }
}

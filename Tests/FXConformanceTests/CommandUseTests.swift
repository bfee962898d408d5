import FXCore
import FXTrace
import Foundation
import Testing

/// What `fx` says to somebody who uses it wrongly, or asks what it cannot do: the words, and the exit status.
@Suite struct CommandUseTests {
  static let model = ReadmeTests.root.appendingPathComponent("Models/digits/model.onnx").path
  static let samples = ReadmeTests.root.appendingPathComponent("Models/digits/test_data_set_0").path

  /// A folder that is removed after the test.
  static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-use-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  /// A command, its exit status, and what standard error begins with, MODEL standing for the model's path.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let status: Int32
    let says: String

    init(_ line: String, _ status: Int32, _ says: String) {
      arguments = line.split(separator: " ").map { $0 == "MODEL" ? CommandUseTests.model : String($0) }
      self.status = status
      self.says = says.replacingOccurrences(of: "MODEL", with: CommandUseTests.model)
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let huge = "9223372036854775807"
  static let refusals = [
    // Commands.
    Refusal("insect MODEL", 2, "Error: there is no command 'insect'; did you mean inspect?\n  See 'fx help' for more"),
    Refusal("help nosuch", 2, "Error: there is no command 'nosuch'"),
    // Files.
    Refusal("inspect /nowhere/m.onnx", 3, "fx: cannot open /nowhere/m.onnx: No such file or directory\n"),
    Refusal("inspect /nowhere/m.fxt", 3, "fx: cannot open /nowhere/m.fxt: No such file or directory\n"),
    Refusal("inspect MODEL --json --text", 2, "Error: --json or --text, not both"),
    Refusal("convert MODEL /nowhere/m.fxt", 3, "fx: cannot create /nowhere/m.fxt: No such file or directory\n"),
    Refusal("optimize MODEL -o /nowhere/m.onnx", 3, "fx: cannot create /nowhere/m.onnx: No such file or directory\n"),
    Refusal("optimize MODEL -o /tmp", 3, "fx: /tmp: a folder; models have one of the extensions .onnx, .json, .fxt, .fxb\n"),
    Refusal("optimize MODEL --report --portable", 2, "Error: --portable is about the ONNX file"),
    Refusal("compile MODEL -o /nowhere/l.so --size batch=1", 3, "fx: cannot create /nowhere/l.so: No such file or directory\n"),
    Refusal("visualize MODEL -o /nowhere/m.html", 3, "fx: cannot create /nowhere/m.html: No such file or directory\n"),
    Refusal("profile MODEL --trace /nowhere/t.json", 3, "fx: cannot create /nowhere/t.json: No such file or directory\n"),
    Refusal("run MODEL --outputs /tmp/fx-never --inputs /nowhere", 3, "fx: cannot open /nowhere: No such file or directory\n"),
    Refusal("run MODEL --outputs /tmp/fx-never --inputs /etc/hosts", 3, "fx: cannot open /etc/hosts: Not a directory\n"),
    Refusal("run MODEL --outputs /etc/hosts", 3, "fx: cannot create /etc/hosts: File exists\n"),
    // Options that have no effect, or are none.
    Refusal("run MODEL --outputs /tmp/fx-never --timeout 3", 2, "Error: --timeout belongs to --distributed"),
    Refusal("run MODEL --outputs /tmp/fx-never --reference --threads 2", 2, "Error: --threads is not for --reference"),
    Refusal("run MODEL --outputs /tmp/fx-never --threads \(huge)", 2, "Error: --threads must be 1 to 1024"),
    Refusal("bench MODEL --iterations \(huge)", 2, "Error: --iterations must be 1 to 1000000000"),
    Refusal("profile MODEL --threads 0", 2, "Error: --threads must be 1 to 1024"),
    Refusal("profile MODEL --top 0", 2, "Error: --top must be at least 1"),
    Refusal("profile MODEL --json --top 3", 2, "Error: --top is about tables"),
    Refusal(
      "quantize MODEL --scheme dynamic -o q.onnx --observer mse", 2, "Error: --observer has no effect with --scheme dynamic"),
    Refusal("quantize MODEL --scheme dynamic -o q.onnx --calibration .", 2, "Error: --calibration has no effect with --scheme"),
    Refusal(
      "quantize MODEL --calibration . -o q.onnx --block-size 64", 2, "Error: --block-size has no effect with --scheme static"),
    Refusal(
      "quantize MODEL --calibration . -o q.onnx --exclude cnv1", 3, "fx: MODEL: nothing is called 'cnv1'; did you mean 'conv1'"),
    Refusal("ops --filter nosuch", 1, "fx: no operator's name contains 'nosuch'"),
    // Cases.
    Refusal("conformance /nowhere", 3, "fx: cannot open /nowhere: No such file or directory\n"),
    Refusal("conformance Models --rtol=-1", 2, "Error: --rtol must not be negative, -1.0 was given"),
    Refusal("conformance Models --atol nan", 2, "Error: --atol must not be negative, nan was given"),
    Refusal("conformance Models --filter nosuch", 3, "fx: Models: no case's path matches 'nosuch'"),
    Refusal("codegen Models --target numpy --verify --filter nosuch", 3, "fx: Models: no case's path matches 'nosuch'"),
    Refusal("codegen Sources --target numpy --verify", 3, "fx: Sources: no folder with model.onnx and test_data_set_* below it"),
    // Sizes.
    Refusal("plan MODEL", 2, "Error: batch is open: give it a size, as --size batch=8 does\n  See 'fx help plan' for more"),
    Refusal("plan MODEL --size n=8", 2, "Error: --size n=8: the inputs have no size called 'n'; they have the open sizes batch"),
    Refusal("plan MODEL --size batch", 2, "Error: --size takes NAME=SIZE, a whole number below 2⁶³, not 'batch'"),
    Refusal("plan MODEL --size batch=8 --size batch=9", 2, "Error: 'batch' is to be 8 and 9"),
    Refusal("plan MODEL --shape images=4,1,8,8 --size batch=5", 2, "Error: 'batch' is to be 5 and 4"),
    Refusal(
      "plan MODEL --shape images=4,1,9,9", 3, "fx: MODEL: input 'images' is f32[batch, 1, 8, 8], f32[4, 1, 9, 9] was given"),
    Refusal("plan MODEL --shape image=4,1,8,8", 2, "Error: --shape image=…: the model has no input 'image'; it has images"),
    Refusal("plan MODEL --size batch=\(huge)", 3, "fx: MODEL: no tensor can have the shape [\(huge), 1, 8, 8] with elements f32"),
    Refusal("compile MODEL -o /tmp/never.so", 3, "fx: MODEL: std_cpp cannot express 'images' (input): it is f32[batch, 1, 8, 8]"),
    // Plans for ranks.
    Refusal("distribute MODEL --strategy data --ranks 2", 2, "Error: batch is open: give it a size, as --size batch=8 does"),
    Refusal(
      "distribute MODEL --strategy data --ranks 2 --size batsh=8", 2, "Error: --size batsh=8: the inputs have no size called"),
    Refusal(
      "distribute MODEL --strategy data --ranks 2 --size batch=\(huge)", 3,
      "fx: MODEL: 'images' would be f32[\(huge), 1, 8, 8], which no rank can hold"),
    Refusal(
      "distribute MODEL --strategy automatic --ranks 4 --size batch=100000000000000", 3,
      "fx: MODEL: 'images' would be f32[100000000000000, 1, 8, 8], which no rank can hold"),
    Refusal("distribute MODEL --strategy data --ranks \(huge) --size batch=8", 2, "Error: --ranks must be 1 to 1048576"),
    Refusal("distribute MODEL --strategy data --ranks 2 --mesh rows", 2, "Error: --mesh: the mesh 'rows' is none"),
    Refusal("distribute MODEL --strategy data --ranks 2 --mesh data=4", 2, "Error: --mesh data=4 has 4 ranks, --ranks says 2"),
    Refusal(
      "distribute MODEL --strategy tensor --ranks 2 --mesh data=2", 2,
      "Error: --strategy tensor divides along tensor alone, which --mesh data=2 does not: hybrid takes any mesh"),
    Refusal(
      "distribute MODEL --strategy data --ranks 2 --size batch=8 --micro-batches 2", 2,
      "Error: --micro-batches 2: 2 micro-batches are for a pipeline"),
    Refusal(
      "distribute MODEL --strategy pipeline --ranks 2 --size batch=8 --micro-batches 3", 3,
      "fx: MODEL: the batch does not come apart into 3 equal micro-batches: 'images' has 8 rows, no multiple of 3"),
    Refusal(
      "run --distributed /nowhere --outputs /tmp/fx-never", 3, "fx: this is no plan: cannot open /nowhere/plan.json: No such"),
    // Programs.
    Refusal("codegen MODEL --target nosuch -o p", 2, "Error: --target: there is no target 'nosuch'; available: cuda, "),
    Refusal(
      "codegen MODEL --target numpy -o p --brief", 2, "Error: --inputs, --filter, --python, --nvcc, --rtol, --atol and --brief"),
    Refusal("codegen MODEL --target numpy --verify --filter a", 2, "Error: --filter chooses among the models of a folder"),
    Refusal(
      "codegen Models --target numpy --verify --size n=1", 2, "Error: --shape, --size, --inputs and --name are for one model"),
    // Parts that fail.
    Refusal("reduce MODEL --command nosuch-command -o r.fxt", 3, "fx: MODEL: 'nosuch-command' was not found (exit status 127): "),
    Refusal(
      "reduce MODEL --command Models/digits/README.md -o r.fxt", 3,
      "fx: MODEL: 'Models/digits/README.md' cannot be executed (exit status 126): "),
    Refusal("reduce MODEL --command false -o r.txt", 2, "Error: -o r.txt: models have one of the extensions"),
    Refusal("reduce MODEL --command false -o r.fxt --budget 0", 2, "Error: --budget must be at least 1"),
    Refusal("why MODEL imges", 3, "fx: MODEL: nothing is called 'imges'; did you mean 'images'?"),
  ]

  @Test(arguments: refusals) func isToldWhy(refusal: Refusal) throws {
    let (_, errors, status) = try Command.run(refusal.arguments)
    #expect(status == refusal.status, "\(errors)")
    #expect(errors.hasPrefix(refusal.says), "\(errors)")
  }

  /// Empty files, folders in place of files, and other formats: one line that names the file.
  @Test(arguments: ["onnx", "fxt", "json", "fxb"]) func wrongFiles(format: String) throws {
    try Self.withFolder { folder in
      try Data().write(to: URL(fileURLWithPath: "\(folder)/empty.\(format)"))
      try Data("other".utf8).write(to: URL(fileURLWithPath: "\(folder)/other.\(format)"))
      try FileManager.default.createDirectory(atPath: "\(folder)/folder.\(format)", withIntermediateDirectories: true)
      for name in ["empty", "other", "folder"] {
        let path = "\(folder)/\(name).\(format)"
        let (_, errors, status) = try Command.run(["inspect", path])
        #expect(status == 3)
        #expect(errors.hasPrefix("fx: ") && errors.contains(path) && errors.split(separator: "\n").count == 1, "\(errors)")
        #expect(errors.ranges(of: path).count == 1, "\(errors)")
      }
    }
  }

  /// A file that is no plan is told by what it lacks.
  @Test(arguments: [
    ("{}", "expected a field \"version\""), ("[", "expected well-formed JSON ("), ("", "expected well-formed JSON ("),
    ("[1]", "expected an object"),
  ])
  func wrongPlan(text: String, reason: String) throws {
    try Self.withFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/plan.json"))
      let (_, errors, status) = try Command.run(["run", "--distributed", folder, "--outputs", folder])
      #expect(status == 3)
      #expect(errors.hasPrefix("fx: this is no plan: \(folder)/plan.json: \(reason)"), "\(errors)")
    }
  }

  /// A case whose tolerances cannot be read fails, and says where.
  @Test func wrongTolerances() throws {
    try Self.withFolder { folder in
      try FileManager.default.copyItem(atPath: Self.model, toPath: "\(folder)/model.onnx")
      try FileManager.default.copyItem(atPath: Self.samples, toPath: "\(folder)/test_data_set_0")
      try Data(#"{"rtol": "much"}"#.utf8).write(to: URL(fileURLWithPath: "\(folder)/data.json"))
      let (output, status) = try Command.fx(["conformance", folder])
      #expect(status == 1)
      #expect(output.contains("\(folder)/data.json: rtol: expected a number"), "\(output)")
    }
  }

  @Test func version() throws {
    let changes = try String(contentsOf: ReadmeTests.root.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
    let version = try #require(changes.firstMatch(of: /\n## ([0-9.]+)/)?.1)
    let (output, status) = try Command.fx(["--version"])
    #expect(status == 0)
    #expect(output == "fx \(version)\n")
  }

  /// A plan needs types alone: one for more than any machine holds is made at once.
  @Test func plansFromTypes() throws {
    let (output, status) = try Command.fx(["plan", Self.model, "--size", "batch=99999999999"])
    #expect(status == 0)
    #expect(output.contains("input  images: f32[99999999999, 1, 8, 8]\n") && output.contains("output 4000.0 GB\n"), "\(output)")
    let shape = try Command.fx(["plan", Self.model, "--shape", "images=8,1,8,8"])
    #expect(try shape == Command.fx(["plan", Self.model, "--size", "batch=8"]))
  }

  /// A size of one input is that of its symbol in all of them, and bounds hold.
  @Test func sizesOfSymbols() throws {
    try Self.withFolder { folder in
      let path = "\(folder)/two.fxt"
      let text =
        "fx 1\ngraph @two(%x: f32[n, 4], %y: f32[n, m]) {\n  symbol n in 1...8\n  %z = concat(%x, %y) {axis = 1}\n  return %z\n}\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let open = try Command.run(["plan", path, "--shape", "x=3,4"])
      #expect(open.status == 2 && open.errors.hasPrefix("Error: m is open: give it a size, as --size m=8 does"), "\(open.errors)")
      let plan = try Command.run(["plan", path, "--shape", "x=3,4", "--size", "m=5"])
      #expect(plan.status == 0 && plan.output.contains("input  y: f32[3, 5]\n"), "\(plan)")
      let beyond = try Command.run(["plan", path, "--size", "n=9", "--size", "m=1"])
      #expect(beyond.status == 2 && beyond.errors.hasPrefix("Error: --size n=9: in the model it is "), "\(beyond.errors)")
    }
  }

  /// Inputs that the model does not take are no source of sizes.
  @Test func inputsOfAnotherTypeGiveNoSizes() throws {
    try Self.withFolder { folder in
      try Npy.write(Tensor(vector: [Int64(1), 2]), to: "\(folder)/input_0.npy")
      let (_, errors, status) = try Command.run([
        "distribute", Self.model, "--strategy", "data", "--ranks", "2", "--inputs", folder,
      ])
      #expect(status == 3)
      #expect(errors == "fx: \(Self.model): input 'images' is f32[batch, 1, 8, 8], i64[2] was given\n")
    }
  }
}

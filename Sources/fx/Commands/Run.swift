import ArgumentParser
import FXCore
import FXPasses
import FXRuntime

struct Run: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a model on inputs from files.",
    discussion: """
      Exit status 1 if --repeats finds other bits.

      Examples:
        fx run model.onnx --inputs in --outputs out
        fx run model.onnx --outputs out --max-memory 1000000000
      """)

  @Argument(help: "The model; left out with --distributed.") var file: String?
  @Option(help: "Folder with input_I.npy, input_I.pb or NAME.npy; without it inputs are drawn from a fixed seed.")
  var inputs: String?
  @Option(help: "Folder for output_I.npy (.pb where npy cannot).") var outputs: String
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Use the slow kernels that define the operators.") var reference = false
  @Option(help: "Folder for what every node gives, with a table of nodes, types and times; implies --reference.")
  var dump: String?
  @Option(help: "Refuse to run if more bytes than this are needed beyond weights and inputs.") var maxMemory: Int?
  @Option(help: "Stop a run that takes longer than so many seconds; reading and compiling do not count.")
  var maxSeconds: Double?

  @Option(help: "Run this rank's part of a plan that `fx distribute` wrote: mpirun -n N fx run --distributed PLAN.")
  var distributed: String?
  @Option(help: "With --distributed: seconds after which a call to other ranks is an error; by default 60.")
  var timeout: Double?
  @Option(help: "Run as often again: other bits are an error. With --distributed, say what the fastest run took.")
  var repeats = 0

  var model: String { distributed ?? file ?? "" }

  func validate() throws {
    if (file == nil) == (distributed == nil) { throw ValidationError("give a model or --distributed PLAN") }
    if let timeout, !(timeout > 0 && timeout <= 86_400) {
      throw ValidationError("--timeout must be above 0 and at most a day, 86400 seconds")
    }
    if timeout != nil, distributed == nil { throw ValidationError("--timeout belongs to --distributed") }
    if repeats < 0 { throw ValidationError("--repeats must not be negative") }
    if repeats > 0, reference || dump != nil { throw ValidationError("--repeats is not for --reference and --dump") }
    if distributed != nil, dump != nil || maxMemory != nil || maxSeconds != nil {
      throw ValidationError("--dump, --max-memory and --max-seconds are not for --distributed")
    }
    if threads.threads != nil, distributed == nil, reference || dump != nil {
      throw ValidationError("--threads is not for --reference and --dump, which take one")
    }
    if let maxMemory, maxMemory < 0 { throw ValidationError("--max-memory must not be negative") }
    if let maxSeconds, !(maxSeconds >= 0 && maxSeconds < 1e9) {
      throw ValidationError("--max-seconds must not be negative, and below 10⁹")
    }
    if maxMemory != nil, reference || dump != nil {
      throw ValidationError("--max-memory is not for --reference and --dump")
    }
  }

  func execute() throws {
    if let distributed {
      let run = DistributedRun(
        plan: distributed, inputs: inputs, outputs: outputs, threads: threads.threads ?? 1, reference: reference,
        timeout: timeout ?? 60,
        repeats: repeats)
      return try run.execute()
    }
    let graph = try ModelFile.read(model)
    let values = try inputs.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    let results: [RuntimeValue]
    let timeLimit = maxSeconds.map { Duration.seconds($0) }
    if let dump {
      results = try NodeDump(folder: dump).run(graph, inputs: values, timeLimit: timeLimit)
    } else if reference {
      results = try ReferenceExecutor(timeLimit: timeLimit).run(graph, inputs: values)
    } else {
      let options = CPUBackend.Options(
        threads: threads.count, memoryLimit: maxMemory, timeLimit: timeLimit)
      let compiled = try CPUBackend(options).compiled(graph)
      results = try compiled.run(values)
      var again: [RuntimeValue] = []
      for turn in 0..<repeats {
        try compiled.run(values, into: &again)
        guard again == results else { throw CheckFailed(message: "run \(turn + 2) gave other bits than the first") }
      }
    }
    try Folder.make(outputs)
    for (index, (name, value)) in zip(graph.outputNames, results).enumerated() {
      let file = try ValueFiles.write(value, index: index, name: name, to: outputs)
      Terminal.line("\(file)  \(name): \(value.type)")
    }
  }
}

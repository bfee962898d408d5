import FXCore
import FXTrace

/// An `nn.Module` with its weights in a safetensors file: runs with Python 3 and PyTorch 2.
public struct PyTorchTarget: CodeTarget {
  public let name = "pytorch"
  public let summary = "a PyTorch module with its state dictionary"
  /// How calls are spelled; each row is asked for Python.
  public var rows: TorchRows

  /// Writes by the rows of this package, unless others are given.
  public init(rows: TorchRows = .standard) { self.rows = rows }

  public func refusal(of node: Node, in graph: Graph) -> String? { rows.refusal(of: node, in: graph, .python) }

  public func emit(_ graph: Graph, _ options: CodegenOptions) throws -> GeneratedProgram {
    // What is stored, and what functions the calls need, is known only when they are written, and how the former is spelled
    // only when all of it is known.
    let draft = try written(graph, reserved: [], tree: nil).writer.dialect
    let functions = draft.functions.map(\.name)
    try CodegenError.requireDistinct(functions, in: graph, for: self.name)
    let reserved = PyTorchTarget.reserved.union(functions)
    let name = options.programName(of: graph, reserved: reserved.union(Identifiers.pythonModules))
    let tree = try ModuleTree(graph.parameterIDs.filter(draft.stored.contains), of: graph)
    let (writer, inputs) = try written(graph, reserved: reserved.union([Identifiers.capitalized(name)]), tree: tree)
    var weights: [String: Tensor] = [:]
    for (id, key) in tree.keys {
      if let tensor = try graph[id].tensor { weights[key] = try tensor.converted(to: TorchTypes.storage(tensor.elementType)) }
    }
    var program = GeneratedProgram()
    program.add("\(name).py", try source(graph, name, inputs, writer, tree))
    if !weights.isEmpty { program.add("\(name).safetensors", try Safetensors.encode(weights, metadata: ["format": "pt"])) }
    return program
  }

  private static let reserved = Identifiers.python.union(TorchFunction.all.map(\.name)).union([
    "torch", "nn", "F", "math", "itertools", "json", "Path", "load", "read_safetensors",
  ])

  private func written(
    _ graph: Graph, reserved: Set<String>, tree: ModuleTree?
  ) throws -> (writer: RegionWriter<TorchDialect>, inputs: [String]) {
    var dialect = TorchDialect(rows: rows, language: .python, paths: tree?.expressions ?? [:])
    dialect.layers = tree.map { TorchLayers(leaves: $0.leaves, graph: graph) }
    var writer = RegionWriter(
      graph, dialect, identifiers: Identifiers(reserved: reserved), source: SourceText(depth: 2))
    let inputs = graph.inputs.map { writer.identifiers.unique(graph.name(of: $0)) }
    let results = try writer.write(graph.body, arguments: inputs)
    writer.source.add("return " + (results.isEmpty ? "()" : results.joined(separator: ", ")))
    return (writer, inputs)
  }

  private func source(
    _ graph: Graph, _ name: String, _ inputs: [String], _ writer: RegionWriter<TorchDialect>, _ tree: ModuleTree
  ) throws -> String {
    let functions = writer.dialect.functions.sorted { $0.name < $1.name }
    let declarations = try tree.declarations(of: graph, layers: writer.dialect.layers?.constructors ?? [:])
    let body = (writer.source.lines + declarations + functions.compactMap(\.python)).joined(separator: "\n")
    let hasWeights = !tree.keys.isEmpty
    let className = Identifiers.capitalized(name)
    var text = SourceText()
    text.add("\"\"\"The graph \(graph.name.docText) in PyTorch.\"\"\"")
    if body.contains("itertools.") { text.add("import itertools") }
    if hasWeights { text.add("import json") }
    if body.contains("math.") { text.add("import math") }
    if hasWeights { text.add("from pathlib import Path") }
    text.add("\nimport torch\nfrom torch import nn")
    if body.contains("F.") { text.add("from torch.nn import functional as F") }
    for function in functions { text.add("\n\n" + (function.python ?? "")) }
    text.add("\n\nclass \(className)(nn.Module):")
    text.depth = 1
    let signature = zip(inputs, graph.inputs).map { "\($0): \(graph.type(of: .value($1)))" }
    let results = zip(graph.outputNames, graph.outputs).map { "\($0.docText): \(graph.type(of: $1))" }
    text.add("\"\"\"" + (signature + ["returns " + results.joined(separator: ", ")]).joined(separator: "\n") + "\n\"\"\"\n")
    if !declarations.isEmpty {
      text.add("def __init__(self):")
      text.block { text in
        text.add("super().__init__()")
        for line in declarations { text.add(line) }
      }
      text.add()
    }
    text.add("def forward(\((["self"] + inputs).joined(separator: ", "))):")
    text.depth = 0
    var source = text.text + writer.source.text + "\n\n"
    source += hasWeights ? PyTorchTarget.loading(className) : "def load():\n    return \(className)().eval()\n"
    return source
  }

  private static func loading(_ className: String) -> String {
    """
    def read_safetensors(path):
        \"\"\"The tensors of a file of the safetensors format.\"\"\"
        types = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool", "C64": "complex64"}
        types |= {f"{kind}{bits}": f"{name}{bits}" for kind, name in [("I", "int"), ("U", "uint")] for bits in [8, 16, 32, 64]}
        types |= {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
        data = bytearray(Path(path).read_bytes())
        start = 8 + int.from_bytes(data[:8], "little")
        tensors = {}
        for name, entry in json.loads(data[8:start]).items():
            if name != "__metadata__":
                first, end = entry["data_offsets"]
                dtype = getattr(torch, types[entry["dtype"]])
                elements = data[start + first : start + end]
                tensor = torch.frombuffer(elements, dtype=dtype) if elements else torch.empty(0, dtype=dtype)
                tensors[name] = tensor.reshape(entry["shape"])
        return tensors


    def load(path=Path(__file__).with_suffix(".safetensors")):
        \"\"\"The model with its weights.\"\"\"
        model = \(className)()
        model.load_state_dict(read_safetensors(path))
        return model.eval()

    """
  }
}

extension TorchFunction {
  /// The functions of this package, whose names variables do not take.
  static let all: [TorchFunction] = [
    .truncatedDivide, .withTensorIndices, .averagePool, .reshape, .sliceAxes, .padConstant, .padAxis, .gatherND, .scatterND,
    .topK, .nonMaxSuppression,
  ]
}

extension Graph {
  /// The source of an `nn.Module`. The weights are in the program that `CodeGenerator` gives.
  /// - Throws: as `CodeGenerator.generate`.
  public func toPython() throws -> String { try CodeGenerator().generateCode(self, target: "pytorch") }
}

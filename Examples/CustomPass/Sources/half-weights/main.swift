import FXCore
import FXOnnx
import FXPasses
import Foundation
import HalfWeights

// half-weights IN.onnx OUT.onnx
guard CommandLine.arguments.count == 3 else {
  print("usage: half-weights IN.onnx OUT.onnx")
  exit(2)
}
var graph = try OnnxImporter().graph(path: CommandLine.arguments[1])
// The manager verifies the graph after the pass and puts it back if that fails.
print(try PassManager([HalfWeightsPass()]).run(&graph))
try exportToOnnx(graph).saveToFile(CommandLine.arguments[2])

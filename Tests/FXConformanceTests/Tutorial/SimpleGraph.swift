import FXCore
import FXTrace

func createSimpleGraph() throws -> Graph {
  var tracer = ModuleTracer()

  // Add input node
  try tracer.addInput("x")

  // Add operations
  try tracer.addCall("linear", ["x"])
  try tracer.addCall("relu", ["node_0"])

  // Add output
  try tracer.addOutput("node_1")

  return try tracer.finalize()
}

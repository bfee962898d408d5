// trace-bench: how long tracing resnet50 takes, types and symbolic sizes of every value included.
//
// Prints one JSON object, as torch_fx.py --trace does: milliseconds, the best and the median of 20, and the graph's nodes.

import FXCore
import FXTrace

let model = ResNet50()
var times: [Double] = []
var nodes = 0
for _ in 0..<20 {
  let start = ContinuousClock.now
  let graph = try trace(model, .tensor(.float32, ["batch", 3, 224, 224]))
  let elapsed = (ContinuousClock.now - start).components
  times.append(Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds) / 1e15)
  nodes = graph.nodeCount
}
times.sort()
print("{\"trace resnet50\": \(times[0]), \"trace resnet50, median\": \(times[times.count / 2]), \"nodes\": \(nodes)}")

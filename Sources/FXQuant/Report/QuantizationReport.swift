import FXCore
import Foundation

/// What quantization did to a model: layer by layer how far results are off, and what stayed in floating point and why.
public struct QuantizationReport: Sendable {
  /// A quantized layer.
  public struct Layer: Sendable {
    /// What the node is called in the graph in floating point.
    public let name: String
    /// The node's operator, such as `conv`.
    public let op: String
    /// How activations and weights are quantized, such as `u8 × i8`.
    public let types: String
    /// Of the layer's result in the quantized model, all layers before being quantized too.
    public let accumulated: SignalToNoise
    /// Of the layer alone, its operands being exact before it rounds them.
    public let own: SignalToNoise
  }

  /// A layer that stayed in floating point.
  public struct Kept: Sendable, Equatable {
    /// What the node is called in the graph in floating point.
    public let name: String
    /// The node's operator, such as `conv`.
    public let op: String
    /// Why it stayed, such as `excluded by name`.
    public let reason: String
  }

  /// One for each quantized node, in the order of the plan.
  public let layers: [Layer]
  /// Nodes that might have been quantized and are not.
  public let kept: [Kept]
  /// By the outputs' names.
  public let outputs: [(name: String, ratio: SignalToNoise)]
  /// Bytes of all bound parameters of the graph in floating point.
  public let originalBytes: Int
  /// Bytes of all bound parameters of the quantized graph.
  public let quantizedBytes: Int
  /// What was suspicious in the calibration data.
  public let warnings: [String]

  /// The layer with the least ratio of its own.
  public var worst: Layer? { layers.min { $0.own.decibels < $1.own.decibels } }
}

extension QuantizationReport: CustomStringConvertible {
  /// A table, a line per layer, then what was kept, the outputs and the size.
  public var description: String {
    let width = max(5, layers.map(\.name.count).max() ?? 0, outputs.map(\.name.count).max() ?? 0)
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    func decibels(_ ratio: SignalToNoise) -> String {
      let text = ratio.decibels.isFinite ? String(format: "%.1f", ratio.decibels) : "\(ratio.decibels)"
      return String(repeating: " ", count: max(0, 9 - text.count)) + text
    }
    var lines = [padded("layer", width) + "  " + padded("operator", 16) + padded("types", 12) + "  own dB   all dB"]
    for layer in layers {
      lines.append(
        padded(layer.name, width) + "  " + padded(layer.op, 16) + padded(layer.types, 9) + decibels(layer.own)
          + decibels(layer.accumulated))
    }
    for kept in kept { lines.append("not quantized: '\(kept.name)' (\(kept.op)): \(kept.reason)") }
    for output in outputs {
      lines.append("output \(padded(output.name, width)) \(decibels(output.ratio)) dB")
    }
    for warning in warnings { lines.append("warning: \(warning)") }
    lines.append(
      "parameters: \(originalBytes) → \(quantizedBytes) bytes"
        + (quantizedBytes > 0 ? String(format: " (÷ %.2f)", Double(originalBytes) / Double(quantizedBytes)) : ""))
    return lines.joined(separator: "\n")
  }
}

extension Graph {
  /// Bytes of all bound parameters.
  var parameterBytes: Int { parameterIDs.reduce(0) { $0 + ((try? self[$1].tensor?.byteCount) ?? 0) } }
}

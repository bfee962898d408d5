/// Calls that own regions. Regions see nothing around them: what they use is an operand after the call's own operands, and
/// an argument after the region's own arguments.
extension Operator {
  /// `cond`: The results of the region `then` or `else`; only the one that the predicate names runs.
  public static let cond = Operator(
    "cond", .controlFlow, "The results of the region `then` or `else`; only the one that the predicate names runs.",
    operands: ["predicate: B", "captures...: C"], results: ["results...: R"], types: ["B": .bool],
    regions: ["then", "else"], traits: .core, onnx: "If", torch: "torch.cond")
  /// `while_loop`: States that go through the region `body` as long as the region `condition` holds of them.
  public static let whileLoop = Operator(
    "while_loop", .controlFlow,
    "States that go through the region `body` as long as the region `condition` holds of them.",
    operands: ["operands...: C"], results: ["states...: R"], regions: ["condition", "body"], traits: .core,
    torch: "torch.while_loop")
  /// `loop`: At most trip_count turns of a body (iteration, condition, states, captures) → (condition, states, elements),
  /// while the .
  public static let loop = Operator(
    "loop", .controlFlow,
    "At most trip_count turns of a body (iteration, condition, states, captures) → (condition, states, elements), while the "
      + "condition holds: the last states, and the elements of all turns stacked.",
    operands: ["trip_count?: I", "condition?: B", "operands...: C"], results: ["results...: R"],
    types: ["I": .int64, "B": .bool], attributes: [Loop.stateCount.specification], regions: ["body"], traits: .core,
    onnx: "Loop")
  /// `scan`: A body (states, elements, captures) → (states, elements) run along an axis of tensors: the last states, and the
  /// .
  public static let scan = Operator(
    "scan", .controlFlow,
    "A body (states, elements, captures) → (states, elements) run along an axis of tensors: the last states, and the "
      + "elements of all turns stacked.",
    operands: ["operands...: C"], results: ["results...: R"],
    attributes: [
      Loop.stateCount.specification, Scan.inputCount.specification, Scan.inputAxes.specification,
      Scan.inputDirections.specification, Scan.outputAxes.specification, Scan.outputDirections.specification,
    ], regions: ["body"], traits: .core, onnx: "Scan")
  /// `call`: The results of its region for the operands.
  public static let call = Operator(
    "call", .controlFlow, "The results of its region for the operands.", operands: ["operands...: C"],
    results: ["results...: R"], regions: ["body"], traits: .composite)

  /// Source: ONNX's `Gradient`, whose graph between named tensors is the region here.
  public static let gradient = Operator(
    "gradient", .training,
    "The gradients of the sum of the region's result with respect to its first arguments, for these operands.",
    operands: ["operands...: C"], results: ["gradients...: R"], attributes: [Gradient.withRespectTo.specification],
    regions: ["body"], onnx: "ai.onnx.preview.training::Gradient")

  package static let controlFlow: [Operator] = [.cond, .whileLoop, .loop, .scan, .call, .gradient]
}

/// The attributes of `loop`.
public enum Loop {
  /// How many of the operands, and of the results, are states.
  public static let stateCount = AttributeKey<Int>("state_count")
}

/// The attributes of `gradient`.
public enum Gradient {
  /// How many of the operands the gradient is with respect to.
  public static let withRespectTo = AttributeKey<Int>("with_respect_to")
}

/// Lists of `scan` have a number for each scanned operand or stacked result; axes are 0 and directions forward if absent.
public enum Scan {
  /// How many operands after the states are run along.
  public static let inputCount = AttributeKey<Int>("num_scan_inputs")
  /// ONNX's `scan_input_axes`.
  public static let inputAxes = AttributeKey<[Int]?>("scan_input_axes")
  /// 0 from the first element on, 1 from the last.
  public static let inputDirections = AttributeKey<[Int]?>("scan_input_directions")
  /// ONNX's `scan_output_axes`.
  public static let outputAxes = AttributeKey<[Int]?>("scan_output_axes")
  /// 0 to append elements, 1 to prepend them.
  public static let outputDirections = AttributeKey<[Int]?>("scan_output_directions")
}

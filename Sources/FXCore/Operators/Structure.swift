extension Operator {
  /// The pseudo-operator whose operands are a region's results. Graphs make it; it is never called.
  public static let output = Operator(
    "output", .controlFlow, "Ends a region: its operands are the region's results.",
    operands: ["results..."], results: [], traits: .terminator)
}

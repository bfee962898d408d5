import FXCore
import FXPasses
import FXRuntime
import Testing

/// Composite operators in terms of others give what the operators' own kernels give. ONNX's cases show the operators at
/// large; here are sizes that only the run knows, and corners that those cases leave out.
struct DecompositionTests {
  struct Example: CustomTestStringConvertible, Sendable {
    let inputs: String
    let call: String
    var parameters = ""

    init(_ inputs: String, _ call: String, _ parameters: String...) {
      (self.inputs, self.call) = (inputs, call)
      self.parameters = parameters.map { "parameter @\($0)\n" }.joined()
    }

    var text: String {
      // The state beside the result of a linear attention is a required result.
      let results = call.hasPrefix("linear_attention") ? "%y: _, %z: _" : "%y: _"
      return "graph @main(\(inputs)) {\n\(parameters)\(results) = \(call)\nreturn %y\n}"
    }
    var testDescription: String { call }
  }

  static let reshaping = [
    Example("%x: f32[a, 3, b, 5]", "flatten(%x) {axis = -2}"),
    Example("%x: f32[a, 3]", "size(%x)"),
    Example("%x: f32[a, 8, h, w]", "depth_to_space(%x) {blocksize = 2}"),
    Example("%x: f32[a, 8, h, w]", "depth_to_space(%x) {blocksize = 2, mode = \"CRD\"}"),
    Example("%x: f32[a, 2, 4, 6]", "space_to_depth(%x) {blocksize = 2}"),
    Example("%x: f32[t, b, 3], %n: i64[b]", "reverse_sequence(%x, %n)"),
    Example("%x: f32[a, b]", "trilu(%x, @k) {upper = false}", "k: i64[] constant = [-1]"),
    Example("%x: f32[a, 4]", "eye_like(%x) {k = 1}"),
    Example("%x: f32[a, 4], %c: bool[4]", "compress(%x, %c) {axis = 1}"),
    Example("%x: f32[a, 4], %c: bool[5]", "compress(%x, %c)"),
    Example("%x: i64[a, 3]", "one_hot(%x, @d, @v) {axis = 1}", "d: i64[] constant = [4]", "v: f32[2] constant = [2.0, 5.0]"),
    Example("%x: f32[a, b, 5]", "center_crop_pad(%x, @s) {axes = [1, 2]}", "s: i64[2] constant = [3, 8]"),
    Example("%x: f32[b, 3, 6, 2], %u: f32[b, 3, n, 2]", "tensor_scatter(%x, %u) {mode = \"circular\"}"),
    Example(
      "%x: f32[a, 12, 12]", "col2im(%x, @i, @k) {strides = [2, 1], pads = [1, 0, 1, 0]}",
      "i: i64[2] constant = [4, 6]", "k: i64[2] constant = [2, 3]"),
  ]

  static let equations = [
    "ij,jk->ik", "ii->i", "ii", "i,j->ij", "ij->ji", "ijk,jil->kl", "...i,...i->...", "...ij,...jk->...ik", "ij,ij->", "iij,jk",
    "abc,cd,da->b",
  ].map { equation in
    let terms = equation.split(separator: "-")[0].split(separator: ",")
    let inputs = terms.enumerated().map { index, term in
      let letters = term.map(String.init).filter { $0 != "." }
      return "%x\(index): f32[\(((term.contains(".") ? ["2", "n"] : []) + letters).joined(separator: ", "))]"
    }
    let operands = terms.indices.map { "%x\($0)" }.joined(separator: ", ")
    return Example(inputs.joined(separator: ", "), "einsum(\(operands)) {equation = \"\(equation)\"}")
  }

  static let windows = [
    Example("%x: f32[a, 2, h, w]", "lp_pool(%x) {kernel_shape = [2, 2], strides = [2, 2], ceil_mode = true, p = 3}"),
    Example("%x: f32[a, 2, 7]", "lp_pool(%x) {kernel_shape = [3], strides = [2], auto_pad = \"SAME_UPPER\"}"),
    Example("%x: f32[a, 2, h, w]", "global_lp_pool(%x) {p = 1}"),
    Example("%x: f32[a, 5, h, w]", "lrn(%x) {size = 3}"),
    Example("%x: f32[a, 6, h]", "group_normalization(%x, @s, @s) {num_groups = 2}", numbers("s", 6)),
    Example(
      "%x: f32[a, 3, h]", "batch_normalization(%x, @s, @s, @s, @s) {training_mode = true}",
      "s: f32[3] constant = [1.5, 0.5, 2.0]"),
    Example("%x: f32[a, h]", "layer_normalization(%x, @s)", "s: f32[1] constant = [2.0]"),
    Example("%x: f32[a, n, 2]", "dft(%x, none, @a) {inverse = true}", "a: i64[] constant = [1]"),
    Example("%x: f32[a, n, 1]", "dft(%x, @l, @a) {onesided = true}", "l: i64[] constant = [5]", "a: i64[] constant = [-2]"),
  ]

  static let attentions = [
    Example("%q: f32[b, 4, n, 6], %k: f32[b, 2, m, 6], %v: f32[b, 2, m, 5], %mask: bool[n, m]", "attention(%q, %k, %v, %mask)"),
    Example(
      "%q: f32[b, n, 12], %k: f32[b, m, 6], %v: f32[b, m, 6]",
      "attention(%q, %k, %v) {q_num_heads = 4, kv_num_heads = 2, is_causal = true, softcap = 2.0, left_window_size = 1}"),
    Example(
      "%x: f32[b, n, 8], %c: f32[9, 1], %s: f32[9, 1], %i: i64[b, n]",
      "rotary_embedding(%x, %c, %s, %i) {num_heads = 2, rotary_embedding_dim = 2, interleaved = true}"),
    Example(
      "%x: f32[t, b, 3], %n: i32[b]", "lstm(%x, @w, @r, none, %n) {direction = \"bidirectional\", clip = 0.5}",
      numbers("w", 2, 8, 3), numbers("r", 2, 8, 2)),
    Example(
      "%x: f32[b, t, 3]", "gru(%x, @w, @r, @b) {direction = \"reverse\", layout = 1, linear_before_reset = true}",
      numbers("w", 1, 6, 3), numbers("r", 1, 6, 2), numbers("b", 1, 12)),
    Example(
      "%q: f32[b, t, 8], %d: f32[b, t, 2], %e: f32[b, t, 1]",
      "linear_attention(%q, %q, %q, none, %d, %e) {q_num_heads = 2, kv_num_heads = 2}"),
    Example(
      "%x: f32[n, 3, d], %t: i64[n, d]", "softmax_cross_entropy_loss(%x, %t, @w) {ignore_index = 1}",
      "w: f32[3] constant = [0.5, 1.0, 2.0]"),
  ]

  @Test(arguments: [reshaping, equations, windows, attentions].flatMap(\.self))
  func sizesThatOnlyTheRunKnows(_ example: Example) throws {
    var graph = try Graph(text: "fx 1\n" + example.text)
    try ShapeInferencePass().apply(to: &graph)
    var after = graph
    let outcome = try DecompositionPass().apply(to: &after)
    #expect(outcome.declined.isEmpty, "\(outcome.declined)")
    #expect(after.operatorCounts.allSatisfy { !$0.op.has(.composite) }, "\(after)")
    try after.verify(.typed)
    #expect(after.type(of: after.outputs[0]).elementType == graph.type(of: graph.outputs[0]).elementType)
    try expectEqualOutputs(graph, after, .reassociates, InputSampler(defaultSize: 4))
  }

  /// What cannot be decomposed stays as it is, constants included, and says why.
  @Test func declines() throws {
    let text = """
      fx 1
      graph @main(%x: f32[*], %y: f32[4, 3]) {
        %a: f32[?, ?] = flatten(%x)
        %b: f32[4, 3] = hardmax(%y) {axis = 5}
        return %a, %b
      }
      """
    let graph = try Graph(text: text)
    var after = graph
    let outcome = try DecompositionPass().apply(to: &after)
    #expect(outcome.changes == 0 && after == graph)
    #expect(outcome.declined.map(\.reason).sorted() == ["a rank is not known", "there is no axis 5 of 2"])
  }

  /// A call is replaced by what its region holds, regions in it and composite operators included.
  @Test func inlinesCalls() throws {
    let text = """
      fx 1
      graph @main(%p: bool[], %x: f32[3]) {
        %y: f32[3] = call(%p, %x) body(%q: bool[], %v: f32[3]) {
          %a: f32[3] = gelu(%v)
          %b: f32[3] = cond(%q, %a) then(%c: f32[3]) {
            %d: f32[3] = mish(%c)
            return %d
          } else(%c: f32[3]) {
            return %c
          }
          return %b
        }
        return %y
      }
      """
    let graph = try Graph(text: text)
    var after = graph
    try DecompositionPass().apply(to: &after)
    try after.verify(.typed)
    #expect(after.operatorCounts.allSatisfy { !$0.op.has(.composite) }, "\(after)")
    for truth in [true, false] {
      try expectEqualOutputs(graph, after, .reassociates, InputSampler(values: ["p": .tensor(Tensor(truth))]))
    }
  }
}

/// A parameter of small numbers.
private func numbers(_ name: String, _ shape: Int...) -> String {
  let elements = (0..<shape.reduce(1, *)).map { String(Double($0 * 7 % 11 - 5) / 8) }
  return "\(name): f32[\(shape.map(String.init).joined(separator: ", "))] constant = [\(elements.joined(separator: ", "))]"
}

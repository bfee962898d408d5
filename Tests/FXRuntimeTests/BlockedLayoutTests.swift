import FXCore
import FXPasses
import FXTestSupport
import Testing

@testable import FXRuntime

/// Plans in which images lie in blocks of channels, judged by the reference executor.
@Suite struct BlockedLayoutTests {
  struct Network: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    /// Steps that put images in blocks or back.
    let reorders: Int
  }

  static let weights = """
      parameter @stem: f32[32, 3, 3, 3] weight
      parameter @bias: f32[32] weight
      parameter @depth: f32[32, 1, 3, 3] weight
      parameter @wide: f32[48, 32, 1, 1] weight
      parameter @narrow: f32[32, 48, 3, 3] weight
      parameter @down: f32[8, 32, 1, 1] weight
      parameter @up: f32[32, 8, 1, 1] weight
      parameter @odd: f32[21, 32, 3, 3] weight
      parameter @after: f32[32, 21, 1, 1] weight
      parameter @scale: f32[32, 1, 1] weight
      parameter @joined: f32[5, 64, 1, 1] weight
      parameter @last: i64[2] constant = [-1, -2]
      parameter @axes: i64[2] constant = [2, 3]
    """

  static let networks = [
    Network(
      testDescription: "residual",
      text: """
        graph @main(%x: f32[2, 3, 17, 19]) {
        \(weights)
          %a = conv(%x, @stem, @bias) {pads = [1, 1, 1, 1], strides = [2, 2]}
          %b = relu(%a)
          %c = conv(%b, @wide)
          %d = hard_swish(%c)
          %e = conv(%d, @narrow) {pads = [1, 1, 1, 1]}
          %f = add(%e, %b)
          %g = relu(%f)
          %h = max_pool(%g) {kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]}
          %i = conv(%h, @depth) {group = 32, pads = [1, 1, 1, 1]}
          %j = reduce_mean(%i, @last)
          return %j
        }
        """, reorders: 0),
    Network(
      testDescription: "squeeze and excite, an inner value returned",
      text: """
        graph @main(%x: f32[2, 3, 17, 19]) {
        \(weights)
          %a = conv(%x, @stem, @bias)
          %b = silu(%a)
          %c = reduce_mean(%b, @axes)
          %d = conv(%c, @down)
          %e = relu(%d)
          %f = conv(%e, @up)
          %g = sigmoid(%f)
          %h = mul(%b, %g)
          %i = mul(%h, @scale)
          %j = conv(%i, @wide)
          return %j, %h
        }
        """, reorders: 2),
    Network(
      testDescription: "channels that do not fill their blocks",
      text: """
        graph @main(%x: f32[2, 3, 17, 19]) {
        \(weights)
          %a = conv(%x, @stem, @bias)
          %b = conv(%a, @odd) {pads = [1, 1, 1, 1]}
          %c = sigmoid(%b)
          %d = average_pool(%c) {kernel_shape = [2, 2], strides = [2, 2]}
          %e = sin(%d)
          %f = conv(%e, @after)
          %g = conv(%f, @depth) {group = 32, strides = [2, 2]}
          return %g
        }
        """, reorders: 3),
    Network(
      testDescription: "joined channels, a plain operand",
      text: """
        graph @main(%x: f32[2, 3, 17, 19], %y: f32[2, 32, 15, 17]) {
        \(weights)
          %a = conv(%x, @stem, @bias)
          %b = mul(%a, %y)
          %c = mul(%b, 0.5)
          %d = concat(%a, %c) {axis = 1}
          %e = conv(%d, @joined)
          %f = softmax(%e) {axis = 1}
          return %f
        }
        """, reorders: 2),
  ]

  @Test(arguments: networks, [1, 3]) func equalsTheReference(network: Network, threads: Int) throws {
    var graph = try Graph(text: "fx 1\n" + network.text)
    try graph.initializeParameters(seed: 4)
    let inputs = try InputSampler(seed: 5).inputs(of: graph)
    let expected = try ReferenceExecutor().run(graph, inputs: inputs)
    let compiled = try CPUBackend(.init(threads: threads)).compiled(graph)
    let actual = try compiled.run(inputs)
    for (value, wanted) in zip(actual, expected) {
      let (value, wanted) = (try #require(value.tensor), try #require(wanted.tensor))
      #expect(value.shape == wanted.shape)
      let difference =
        zip(try value.numbers().doubles, try wanted.numbers().doubles).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
      #expect(difference < 2e-5)
    }
    let steps = try compiled.profile(inputs).profile.entries
    #expect(steps.count { $0.kernel == "ReorderKernel" } == network.reorders)
    #expect(steps.contains { $0.kernel == "BlockedConvolutionKernel" })
    #expect(try compiled.run(inputs) == actual)
  }

  /// One convolution alone gains nothing from blocks.
  @Test func aConvolutionAloneStaysInOrder() throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32[1, 3, 32, 32]) {
          parameter @w: f32[64, 3, 8, 8] weight
          %a = conv(%x, @w) {strides = [8, 8]}
          %b = flatten(%a)
          return %b
        }
        """)
    try graph.initializeParameters(seed: 4)
    let inputs = try InputSampler(seed: 5).inputs(of: graph)
    let steps = try CPUBackend().compiled(graph).profile(inputs).profile.entries
    #expect(steps.map(\.kernel) == ["ConvolutionKernel"])
  }
}

import FXCore
import FXRuntime
import FXTestSupport
import Testing

/// Weights of mapped files begin at any byte: what is computed with them is the same, to the bit.
@Suite struct LooseWeightsTests {
  /// Keeps a copy of some bytes, `offset` bytes past an aligned address.
  private final class Bytes {
    let base: UnsafeMutableRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer, offset: Int) {
      base = .allocate(byteCount: bytes.count + offset, alignment: 64)
      UnsafeMutableRawBufferPointer(rebasing: base[offset...]).copyMemory(from: bytes)
    }
    deinit { base.deallocate() }
  }

  private static func shifted(_ tensor: Tensor, by offset: Int) throws -> Tensor {
    try tensor.withUnsafeBytes { bytes in
      let copy = Bytes(bytes, offset: offset)
      return try Tensor(
        tensor.elementType, tensor.shape, borrowing: UnsafeRawBufferPointer(rebasing: copy.base[offset...]), owner: copy)
    }
  }

  static let programs: [(name: String, text: String, inputs: [[Int]])] = [
    (
      "convolutions",
      """
      graph @main(%x: f32[2, 32, 14, 14]) {
        parameter @a: f32[32, 32, 3, 3] weight
        parameter @b: f32[32, 1, 3, 3] weight
        parameter @c: f32[20, 32, 1, 1] weight
        parameter @d: f32[20] weight
        parameter @e: f32[20, 6, 2, 2] weight
        %y1 = conv(%x, @a) {pads = [1, 1, 1, 1]}
        %y2 = conv(%y1, @b) {group = 32, pads = [1, 1, 1, 1]}
        %y3 = conv(%y2, @c, @d) {strides = [2, 2]}
        %y4 = conv_transpose(%y3, @e) {strides = [2, 2]}
        return %y4
      }
      """, [[2, 32, 14, 14]]
    ),
    (
      "products",
      """
      graph @main(%x: f32[5, 48]) {
        parameter @a: f32[48, 37] weight
        parameter @b: f32[64, 37] weight
        parameter @c: f32[9, 5] weight
        %y1 = matmul(%x, @a)
        %t = transpose(@b) {perm = [1, 0]}
        %y2 = matmul(%y1, %t)
        %y3 = matmul(@c, %y2)
        return %y3
      }
      """, [[5, 48]]
    ),
    (
      "a recurrence",
      """
      graph @main(%x: f32[3, 2, 8]) {
        parameter @w: f32[1, 16, 8] weight
        parameter @r: f32[1, 16, 4] weight
        parameter @b: f32[1, 32] weight
        %y, %h, %c = lstm(%x, @w, @r, @b) {hidden_size = 4}
        return %y
      }
      """, [[3, 2, 8]]
    ),
  ]

  @Test(arguments: programs.indices, 1...3) func bitsAreThoseOfAlignedWeights(_ program: Int, offset: Int) throws {
    let (_, text, shapes) = Self.programs[program]
    var random = RandomSource(seed: 7)
    func tensor(_ shape: [Int]) throws -> Tensor {
      try Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.below(2000)) / 1000 - 1 })
    }
    var aligned = try Graph(text: "fx 1\n" + text)
    var loose = aligned
    for id in aligned.parameterIDs {
      let weight = try tensor(aligned[id].type.shape?.map { $0.size ?? 1 } ?? [])
      try aligned.bind(id, to: weight)
      try loose.bind(id, to: Self.shifted(weight, by: offset))
    }
    let inputs = try shapes.map { RuntimeValue.tensor(try tensor($0)) }
    #expect(try CPUBackend().compiled(loose).run(inputs) == CPUBackend().compiled(aligned).run(inputs))
  }

  /// A table that rows are only copied from stays where it is.
  @Test(arguments: [0, 1, 2, 3]) func rowsOfATable(offset: Int) throws {
    var graph = try Graph(
      text: """
        fx 1
        graph @main(%i: i64[n]) {
          parameter @table: f32[9, 3] weight
          %y = gather(@table, %i) {axis = 0}
          return %y
        }
        """)
    let table = try Tensor([9, 3], (0..<27).map(Float.init))
    for id in graph.parameterIDs { try graph.bind(id, to: Self.shifted(table, by: offset)) }
    let rows = try CPUBackend().compiled(graph).run([.tensor(Tensor(vector: [Int64(8), 0, -2]))])
    #expect(rows == [.tensor(try Tensor([3, 3], [24, 25, 26, 0, 1, 2, 21, 22, 23] as [Float]))])
  }
}

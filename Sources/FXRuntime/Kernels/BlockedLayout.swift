internal import CKernels
import FXCore

/// How a kernel runs on images whose channels lie in blocks: [batch, blocks, height, width, channels of a block].
///
/// Vectors run along the channels of a block, so that narrow images and strides leave no lanes empty. Where the last
/// block has more channels than the image, the rest hold anything.
struct BlockedChoice: Sendable {
  let choice: KernelChoice
  /// By operand: whether it has to be in blocks.
  let operands: [Bool]
  /// Whether the first result is in blocks then.
  let result: Bool
}

/// What a factory of kernels in blocks is told besides the request, whose shapes are those without blocks.
struct BlockedLayout: Sendable {
  /// By operand: whether it is in blocks now.
  let operands: [Bool]
  /// Whether a convolution further on wants the first result in blocks.
  let isWanted: Bool
  /// Channels in a block.
  let block = BlockedLayout.block

  static var block: Int { fxk_channel_block() }
}

/// Chooses a kernel for images in blocks, or declines: the operands are put in order again then.
typealias BlockedKernelFactory = @Sendable (KernelRequest, BlockedLayout) throws -> BlockedChoice?

extension KernelTable {
  /// The values of a region that a convolution wants in blocks, itself or behind operators that keep them so. O(nodes).
  func wantedInBlocks(_ nodes: [NodeID], of graph: Graph) throws -> Set<ValueID> {
    var wanted: Set<ValueID> = []
    for id in nodes.reversed() {
      let node = try graph[id]
      guard blocked[node.op] != nil else { continue }
      if node.op == .conv || node.op == .fusedConv {
        guard KernelTable.convolvesInBlocks(node, graph) else { continue }
        for index in [0, 3] { if let value = node.operand(index).value { wanted.insert(value) } }
      } else if node.results.first.map(wanted.contains) ?? false {
        wanted.formUnion(node.operands.compactMap(\.value))
      }
    }
    return wanted
  }

  /// Whether a convolution has a kernel in blocks, as far as its weights tell.
  private static func convolvesInBlocks(_ node: Node, _ graph: Graph) -> Bool {
    guard node.operand(1).parameter != nil, let shape = graph.type(of: node.operand(1)).tensorType?.shape?.sizes,
      shape.count == 4
    else { return false }
    return node[Conv.group] == 1 || (node[Conv.group] == shape[0] && shape[1] == 1)
  }
}

extension KernelRequest {
  /// The request with images in blocks as tensors of five axes, for kernels that know nothing of blocks, and which
  /// operands are images. Numbers stay as they are; one value per channel lies the same way with and without blocks.
  /// `nil` if there is another kind of operand, or if an image is not in blocks and nobody wants the result so.
  func withFiveAxes(_ layout: BlockedLayout, sameChannels: Bool = true) -> (request: KernelRequest, images: [Bool])? {
    let image = results[0].shape, block = layout.block
    guard image.count == 4, isAll(.float32), results.count == 1 else { return nil }
    func five(_ shape: [Int]) -> [Int] { [shape[0], (shape[1] + block - 1) / block, shape[2], shape[3], block] }
    var images = operands.map { _ in false }
    var facts: [OperandFacts?] = []
    for (index, operand) in operands.enumerated() {
      guard let operand else {
        facts.append(nil)
        continue
      }
      var shape = operand.shape
      let isImage =
        shape.count == 4 && shape[0] == image[0] && shape[2...] == image[2...]
        && (shape[1] == image[1] || !sameChannels) && operand.elementCount > 1
      if layout.operands[index] || (isImage && layout.isWanted && operand.constant == nil && shape[2] * shape[3] > 1) {
        guard isImage else { return nil }
        shape = five(shape)
        images[index] = true
      } else if operand.elementCount == 1 {
        shape = []
      } else {
        guard shape.count == 3 || shape.count == 4, shape.suffix(2) == [1, 1], shape[shape.count - 3] == image[1],
          image[1].isMultiple(of: block)
        else { return nil }
        shape = five(Array(repeating: 1, count: 4 - shape.count) + shape)
      }
      facts.append(OperandFacts(elementType: operand.elementType, shape: shape, constant: operand.constant))
    }
    guard images.contains(true), zip(images, layout.operands).allSatisfy({ !$0 || $1 || layout.isWanted }) else { return nil }
    let result = OperandFacts(elementType: results[0].elementType, shape: five(image), constant: nil)
    return (with(facts, [result]), images)
  }

  /// The same node with other shapes.
  func with(_ operands: [OperandFacts?], _ results: [OperandFacts]) -> KernelRequest {
    KernelRequest(node: node, operands: operands, results: results, wanted: wanted, weights: weights, threads: threads)
  }
}

/// Puts the channels of images in blocks, or back.
struct ReorderKernel: Kernel {
  let channels: Int
  let pixels: Int
  let intoBlocks: Bool
  private let division: WorkDivision

  /// - Parameter shape: [batch, channels, height, width].
  init(_ shape: [Int], intoBlocks: Bool, threads: Int) {
    channels = shape[1]
    pixels = shape[2] * shape[3]
    self.intoBlocks = intoBlocks
    let block = BlockedLayout.block
    division = WorkDivision(
      shape[0] * ((channels + block - 1) / block), nanosecondsEach: 0.3 * Double(pixels * block), threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { blocks, _ in
      if intoBlocks {
        fxk_to_blocks(x, channels, pixels, y, blocks.lowerBound, blocks.upperBound)
      } else {
        fxk_from_blocks(x, channels, pixels, y, blocks.lowerBound, blocks.upperBound)
      }
    }
  }
}

import FXCore
import FXTrace

extension GradientRules {
  mutating func addImage() {
    // Along each axis the result is a matrix times the operand: the one that the identity is resized to.
    first(.resize) { dy, context in
      let x = context.operand(0)
      guard let from = x.shape?.sizes, let to = context.result().shape?.sizes else {
        throw context.unsupported("sizes that are not known")
      }
      guard context[Resize.coordinates] != "tf_crop_and_resize" else { throw context.unsupported("a cropped operand") }
      let axes = try (context[Resize.axes] ?? Array(from.indices)).map { try context.axis($0, of: x) }
      var scales: [Float]?
      if context.has(2) {
        guard let tensor = context.constant(2) else { throw context.unsupported("scales that are not constant") }
        scales = try tensor.elements()
      }
      var result = dy
      for (place, axis) in axes.enumerated() where from[axis] != to[axis] {
        let size = from[axis]
        let identity = try Tensor(
          x.elementType ?? .float32, [size, size],
          numbers: .floats((0..<size * size).map { $0 % (size + 1) == 0 ? 1 : 0 }))
        var attributes = context.node.attributes
        attributes[Resize.axes] = [0]
        attributes[Resize.aspect] = "stretch"
        let scale = scales.map { Tensor(vector: [$0[place]]) }
        let matrix = x.lift(identity).calling(
          .resize, nil, scale, scale == nil ? Tensor(vector: [to[axis]]) : nil, attributes: attributes)
        var order = Array(from.indices)
        order.swapAt(axis, order.count - 1)
        result = transpose(transpose(result, order).calling(.matmul, matrix), order)
      }
      return result
    }
  }
}

import FXCore
import FXPasses
import FXShapes

extension Graph {
  /// Infers types, and puts constants in place of the integers that inference knows: what exporters compute from shapes with
  /// a dozen calls is a number in a program, where it is one.
  mutating func foldKnownSizes() throws {
    let contents = try ShapeInference().run(&self)
    var changes = false
    for id in bodyNodes {
      let node = try self[id]
      guard node.op.isPure, node.regions.isEmpty else { continue }
      for value in node.results {
        guard let known = contents[value], let type = try type(of: value).tensorType, type.elementType.isInteger,
          let shape = type.shape?.sizes, try !uses(of: value).isEmpty
        else { continue }
        let sizes = known.compactMap(\.size)
        guard sizes.count == known.count, sizes.count == shape.reduce(1, *) else { continue }
        let tensor = try Tensor(type.elementType, shape, numbers: .signed(sizes.map(Int64.init)))
        try replaceAllUses(of: value, with: .parameter(addConstant(tensor, name: name(of: value))))
        changes = true
      }
    }
    if changes { try DeadCodeEliminationPass().apply(to: &self) }
  }
}

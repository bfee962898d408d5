import FXCore

extension Decompositions {
  mutating func addIndexing() {
    define(.tensorScatter) { context in
      let (cache, update) = (try context.term(0), try context.term(1))
      let (rank, axis) = (try cache.rank, try cache.axis(context[TensorScatter.axis]))
      var places = try cache.builder.range(update.size(axis)).alongAxis(axis, of: rank)
      if let starts = try context.optionalTerm(2) { places = try places + starts.alongAxis(0, of: rank) }
      if context[TensorScatter.mode] == "circular" { places = try mod(places, cache.builder.term(cache.size(axis))) }
      return try cache.scatteredElements(places.expanded(update.sizes), update, axis: axis)
    }
    define(.compress) { context in
      let (x, condition) = (try context.term(0), try context.term(1))
      let places = try condition.call(.nonzero).squeezed([0])
      guard let axis = context[Compress.axis] else { return try x.reshaped([-1]).gathered(places, axis: 0) }
      return try x.gathered(places, axis: x.axis(axis))
    }
    define(.oneHot) { context in
      let (indices, values) = (try context.term(0).cast(to: .int64), try context.term(2))
      let depth = try context.term(1).asExtent()
      let (rank, builder) = (try indices.rank + 1, indices.builder)
      let axis = context[OneHot.axis] < 0 ? context[OneHot.axis] + rank : context[OneHot.axis]
      guard (0..<rank).contains(axis) else { throw DecompositionDeclined(reason: "there is no axis \(axis) of \(rank)") }
      // With the new axis first: the depth is a vector, and would give a single index an axis of its own.
      let given = try indices.unsqueezed([axis])
      let places = try select(given .< 0, given + builder.term(depth), given)
      let isHot = try builder.range(depth).alongAxis(axis, of: rank) .== places
      return try select(isHot, values.gathered(1, axis: 0), values.gathered(0, axis: 0))
    }
    define(.trilu) { context in
      let x = try context.term(0)
      let diagonals = try x.diagonals()
      let k = try context.optionalTerm(1)?.asExtent() ?? 0
      let first = x.builder.term(k)
      // What is above diagonal k is not below the one after.
      let isKept = try context[Trilu.upper] ? diagonals .>= first : .!(diagonals .> first)
      return try select(isKept, x, 0)
    }
    unary(.eyeLike) { x, context in
      let type = try context[EyeLike.dtype] ?? x.elementType
      return try (x.diagonals() .== .int(Int64(context[EyeLike.k]))).cast(to: type)
    }
  }
}

extension Term {
  /// For each element of the matrices the diagonal that it is on, counted upwards from the main one.
  fileprivate func diagonals() throws -> Term {
    let rank = try rank
    guard rank >= 2 else { throw DecompositionDeclined(reason: "a matrix has two axes") }
    let columns = try builder.range(size(rank - 1)).unsqueezed([0])
    return try columns - builder.range(size(rank - 2)).unsqueezed([1])
  }
}

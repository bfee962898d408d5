import FXCore

extension ShapeRules {
  mutating func addText() {
    self[.stringConcat] = { (context) throws(ShapeError) in
      [.tensor(.string, try Broadcasting.shape([context.shape(0), context.shape(1)]))]
    }
    self[.stringSplit] = { (context) throws(ShapeError) in
      guard let shape = try context.shape(0) else { return [.tensor(.string, nil), .tensor(.int64, nil)] }
      return [.tensor(.string, Shape(shape.dimensions + [context.dataDependentDimension()])), .tensor(.int64, shape)]
    }
    self[.stringNormalizer] = { (context) throws(ShapeError) in
      guard let shape = try context.shape(0) else { return [.tensor(.string, nil)] }
      guard shape.rank == 1 || (shape.rank == 2 && shape[0].unified(with: 1) != nil) else {
        throw .rank(operand: 0, expected: "1, or [1, c]", actual: shape.rank)
      }
      // Nothing is taken away without stop words; of no strings one is made.
      if context[StringNormalizer.stopWords]?.isEmpty ?? true, shape.last?.size ?? 0 > 0 { return [.tensor(.string, shape)] }
      let count = context.dataDependentDimension()
      return [.tensor(.string, shape.rank == 1 ? [count] : [1, count])]
    }
    self[.regexFullMatch] = { (context) throws(ShapeError) in [.tensor(.bool, try context.shape(0))] }
    self[.tokenizer] = { (context) throws(ShapeError) in
      guard let shape = try context.shape(0) else { return [.tensor(.string, nil)] }
      return [.tensor(.string, Shape(shape.dimensions + [context.dataDependentDimension()]))]
    }
    self[.tfIdfVectorizer] = { (context) throws(ShapeError) in
      let last = context[TfIdf.indexes].max() ?? -1
      guard last < .max, context[TfIdf.indexes].allSatisfy({ $0 >= 0 }) else {
        throw .attribute("ngram_indexes", reason: "is out of range")
      }
      guard let shape = try context.shape(0) else { return [.tensor(.float32, nil)] }
      guard shape.rank <= 2 else { throw .rank(operand: 0, expected: "1 or 2", actual: shape.rank) }
      return [.tensor(.float32, Shape((shape.rank == 2 ? [shape[0]] : []) + [Dimension(last + 1)]))]
    }
  }
}

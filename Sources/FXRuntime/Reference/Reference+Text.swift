import FXCore

extension ReferenceKernels {
  mutating func addText() {
    self[.stringConcat] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      let shape = try Broadcast.shape([a.shape, b.shape])
      guard try Selection.count(shape, .string) > 0 else { return [.tensor(try Tensor(shape, strings: []))] }
      let (x, y) = (try a.allStrings(), try b.allStrings())
      let (i, j) = (Broadcast.indices(a.shape, to: shape), Broadcast.indices(b.shape, to: shape))
      return [.tensor(try Tensor(shape, strings: i.indices.map { x[i[$0]] + y[j[$0]] }))]
    }
    self[.stringSplit] = { context in
      let x = try context.tensor(0)
      let delimiter = context[StringSplit.delimiter] ?? ""
      let limit = context[StringSplit.maxSplit] ?? .max
      guard limit >= 0 else { throw KernelError.invalid("maxsplit is \(limit)") }
      let pieces = try x.allStrings().map { $0.pieces(delimiter: delimiter, limit: limit) }
      let width = pieces.map(\.count).max() ?? 0
      _ = try Selection.count([pieces.count, width])
      let filled = pieces.flatMap { $0 + Array(repeating: "", count: width - $0.count) }
      return [
        .tensor(try Tensor(x.shape + [width], strings: filled)), .tensor(try Tensor(x.shape, pieces.map(\.count))),
      ]
    }
    self[.stringNormalizer] = { context in
      let x = try context.tensor(0)
      guard x.shape.count == 1 || (x.shape.count == 2 && x.shape[0] == 1) else {
        throw KernelError.invalid("\(x.type) is neither [c] nor [1, c]")
      }
      let isCaseSensitive = context[StringNormalizer.isCaseSensitive]
      let stops = Set((context[StringNormalizer.stopWords] ?? []).map { isCaseSensitive ? $0 : $0.lowercased() })
      var words = try x.allStrings().filter { !stops.contains(isCaseSensitive ? $0 : $0.lowercased()) }
      switch context[StringNormalizer.caseChange] {
      case "LOWER": words = words.map { $0.lowercased() }
      case "UPPER": words = words.map { $0.uppercased() }
      default: break
      }
      if words.isEmpty { words = [""] }
      return [.tensor(try Tensor(x.shape.count == 1 ? [words.count] : [1, words.count], strings: words))]
    }
    self[.regexFullMatch] = { context in
      let x = try context.tensor(0)
      guard let pattern = context[RegexFullMatch.pattern], let regex = try? Regex(pattern) else {
        throw KernelError.invalid("'\(context[RegexFullMatch.pattern] ?? "")' is no regular expression")
      }
      // As RE2 has it: characters are code points, and words are runs of word characters.
      let exact = regex.matchingSemantics(.unicodeScalar).wordBoundaryKind(.simple)
      return [.tensor(try Tensor(x.shape, try x.allStrings().map { try exact.wholeMatch(in: $0) != nil }))]
    }
    self[.tfIdfVectorizer] = { context in
      let x = try context.tensor(0)
      if let strings = x.strings { return [.tensor(try counted(context, x, strings, context[TfIdf.stringPool]))] }
      return [.tensor(try counted(context, x, x.integers(), context[TfIdf.integerPool]))]
    }
  }
}

extension Tensor {
  fileprivate func allStrings() throws -> [String] {
    guard let strings else { throw KernelError.elementType(elementType) }
    return strings
  }
}

extension String {
  /// The parts between delimiters, at most `limit` splits; between runs of white space for an empty delimiter.
  fileprivate func pieces(delimiter: String, limit: Int) -> [String] {
    var pieces: [String] = []
    var rest = self[...]
    if delimiter.isEmpty {
      rest = rest.drop(while: \.isWhitespace)
      while !rest.isEmpty {
        guard pieces.count < limit, let end = rest.firstIndex(where: \.isWhitespace) else { break }
        pieces.append(String(rest[..<end]))
        rest = rest[end...].drop(while: \.isWhitespace)
      }
      return rest.isEmpty ? pieces : pieces + [String(rest)]
    }
    while pieces.count < limit, let range = rest.firstRange(of: delimiter) {
      pieces.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return pieces + [String(rest)]
  }
}

/// Counts of the pool's n-grams, weighted as the mode says. Source: ONNX `TfIdfVectorizer`.
private func counted<Element: Hashable & Sendable>(
  _ context: ReferenceContext, _ x: Tensor, _ elements: [Element], _ pool: [Element]?
) throws -> Tensor {
  let (shortest, longest, skips) = (context[TfIdf.minLength], context[TfIdf.maxLength], context[TfIdf.maxSkip])
  guard let pool, x.shape.count <= 2, shortest >= 1, longest >= shortest, skips >= 0, skips < .max else {
    throw KernelError.invalid("the pool or the lengths do not fit \(x.type)")
  }
  let vocabulary = try context.prepared { try Vocabulary(pool, context.node.attributes) }
  let (rows, length) = x.shape.count == 2 ? (x.shape[0], x.shape[1]) : (1, elements.count)
  let (width, weights) = (vocabulary.width, context[TfIdf.weights])
  var counts = Array(repeating: 0.0, count: try Selection.count([rows, width]))
  for row in 0..<(counts.isEmpty ? 0 : rows) {
    let sequence = elements[row * length..<(row + 1) * length]
    for distance in 1...min(skips + 1, max(length, 1)) {
      // Single elements have no distance: they count once.
      let sizes = max(shortest, distance == 1 ? 1 : 2)
      guard sizes <= longest else { break }
      if sizes == 1 {
        for element in sequence { if let column = vocabulary.singles[element] { counts[row * width + column] += 1 } }
      }
      guard longest > 1 else { continue }
      for first in 0..<length {
        var gram: [Element] = []
        var place = first
        while gram.count < longest, place < length {
          gram.append(sequence[sequence.startIndex + place])
          if gram.count >= max(sizes, 2), let column = vocabulary.grams[gram] { counts[row * width + column] += 1 }
          place += distance
        }
      }
    }
  }
  if context[TfIdf.mode] != "TF" {
    for index in counts.indices {
      let weight = weights.flatMap { index % width < $0.count ? Double($0[index % width]) : nil } ?? 1
      counts[index] = context[TfIdf.mode] == "IDF" ? (counts[index] > 0 ? weight : 0) : counts[index] * weight
    }
  }
  return try Tensor(.float32, (x.shape.count == 2 ? [rows] : []) + [width], numbers: .floats(counts), saturating: false)
}

/// The columns of n-grams, found once per compiled graph.
private struct Vocabulary<Element: Hashable & Sendable>: Sendable {
  /// Of single elements, and of sequences of more.
  private(set) var singles: [Element: Int] = [:]
  private(set) var grams: [[Element]: Int] = [:]
  let width: Int

  /// - Throws: `KernelError.invalid` if the attributes do not fit each other.
  init(_ pool: [Element], _ attributes: Attributes) throws {
    let (starts, columns) = (attributes[TfIdf.counts], attributes[TfIdf.indexes])
    guard columns.allSatisfy({ $0 >= 0 && $0 < Selection.limit }) else {
      throw KernelError.invalid("ngram_indexes have a column that no result has")
    }
    width = (columns.max() ?? -1) + 1
    var number = 0
    for (index, start) in starts.enumerated() {
      let (size, end) = (index + 1, index + 1 < starts.count ? starts[index + 1] : pool.count)
      guard start >= 0, start <= end, end <= pool.count else {
        throw KernelError.invalid("ngram_counts \(starts) do not fit the pool")
      }
      for first in stride(from: start, to: end - size + 1, by: size) {
        guard number < columns.count else { throw KernelError.invalid("\(columns.count) columns for more n-grams") }
        if size == 1 {
          singles[pool[first]] = columns[number]
        } else {
          grams[Array(pool[first..<first + size])] = columns[number]
        }
        number += 1
      }
    }
  }
}

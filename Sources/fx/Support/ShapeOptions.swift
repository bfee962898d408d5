import ArgumentParser
import FXCore

/// The sizes that a user gives to a model's symbols.
struct SizeOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A size for a symbol of the model, such as batch=8; may be repeated.", valueName: "name=size"))
  var size: [String] = []

  func validate() throws { _ = try given() }

  /// - Throws: `ValidationError` for what is no size, and for a symbol with two.
  private func given() throws -> [String: Int] {
    try size.reduce(into: [:]) { sizes, text in
      let sides = text.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty, let number = Int(sides[1]), number >= 0 else {
        throw ValidationError("--size takes NAME=SIZE, a whole number below 2⁶³, not '\(text)'")
      }
      try sizes.add(number, for: String(sides[0]))
    }
  }

  /// - Throws: `ValidationError` for a symbol that the inputs lack, and for a size that the model does not allow.
  func sizes(for graph: Graph) throws -> [String: Int] {
    let sizes = try given()
    let known = graph.inputSymbols
    for (name, number) in sizes.sorted(by: { $0.key < $1.key }) {
      guard known.contains(name) else {
        let has = known.isEmpty ? "no open sizes" : "the open sizes \(known.sorted().joined(separator: ", "))"
        throw ValidationError("--size \(name)=\(number): the inputs have no size called '\(name)'; they have \(has)")
      }
      if let bounds = graph.symbols[name], !bounds.contains(number) {
        throw ValidationError("--size \(name)=\(number): in the model it is \(bounds)")
      }
    }
    return sizes
  }
}

extension SizeOptions {
  /// - Throws: `ValidationError` that names symbols without a size, and the option that gives it, if there are any.
  static func require(_ symbols: Set<String>) throws {
    guard !symbols.isEmpty else { return }
    let names = symbols.sorted()
    throw ValidationError(
      "\(names.joined(separator: ", ")) \(names.count == 1 ? "is open: give it a size" : "are open: give them sizes"), as "
        + names.map { "--size \($0)=8" }.joined(separator: " ") + " does")
  }
}

/// The sizes that a user gives to inputs.
struct ShapeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Sizes of an input, such as input=1,3,224,224, or none for a scalar; may be repeated.", valueName: "name=dims"))
  var shape: [String] = []
  @OptionGroup var sizes: SizeOptions

  var isEmpty: Bool { shape.isEmpty && sizes.size.isEmpty }

  func validate() throws { _ = try given() }

  /// - Throws: `ValidationError` for what is no list of sizes, and for an input that is named twice.
  private func given() throws -> [(name: String, sizes: [Int])] {
    var names: Set<String> = []
    return try shape.map { entry in
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let sizes = parts.last?.split(whereSeparator: { $0 == "," || $0 == "x" }).map { Int($0) } ?? []
      guard parts.count == 2, sizes.allSatisfy({ $0 ?? -1 >= 0 }) else {
        throw ValidationError("--shape takes NAME=SIZE,SIZE,…, not '\(entry)'")
      }
      guard names.insert(String(parts[0])).inserted else { throw ValidationError("--shape gives '\(parts[0])' twice") }
      return (String(parts[0]), sizes.compactMap(\.self))
    }
  }

  /// The inputs' types with the sizes that were given. A size of one input is that of its symbol in all of them.
  /// - Throws: `ValidationError` for inputs and symbols that the graph does not have, and for a symbol with two sizes.
  func types(for graph: Graph) throws -> [ValueType] {
    var bindings = try sizes.sizes(for: graph)
    var types = try graph.inputs.map { try graph.type(of: $0) }
    for (name, sizes) in try given() {
      guard let index = graph.inputs.firstIndex(where: { graph.name(of: $0) == name }) else {
        let names = graph.inputs.map { graph.name(of: $0) }
        throw ValidationError("--shape \(name)=…: the model has no input '\(name)'; it has \(names.joined(separator: ", "))")
      }
      guard let element = types[index].elementType else { throw ValidationError("the type of input '\(name)' is not known") }
      if let old = types[index].shape, old.rank == sizes.count {
        for (dimension, size) in zip(old, sizes) {
          if let symbol = dimension.symbol { try bindings.add(size, for: symbol) }
        }
      }
      types[index] = .tensor(element, Shape(sizes))
    }
    let dimensions = bindings.mapValues { Dimension($0) }
    return types.map { type in
      guard var tensor = type.tensorType, let shape = tensor.shape else { return type }
      tensor.shape = Shape(shape.map { $0.substituting(dimensions) })
      return .tensor(tensor)
    }
  }

  /// Gives the inputs the types of `types(for:)`.
  func apply(to graph: inout Graph) throws {
    guard !isEmpty else { return }
    for (input, type) in zip(graph.inputs, try types(for: graph)) { try graph.setType(of: input, to: type) }
  }

  /// The inputs' types, all of whose sizes are numbers.
  /// - Throws: `ValidationError` naming what is open, and the option that says it.
  func fixedTypes(for graph: Graph) throws -> [ValueType] {
    let types = try types(for: graph)
    var symbols: Set<String> = []
    for (input, type) in zip(graph.inputs, types) {
      guard let tensor = type.tensorType, tensor.shape?.sizes == nil else { continue }
      guard let shape = tensor.shape, !shape.contains(where: \.isUnknown) else {
        throw ValidationError(
          "input '\(graph.name(of: input))' is \(type): give its sizes, as --shape \(graph.name(of: input))=… does")
      }
      for dimension in shape { symbols.formUnion(dimension.symbols) }
    }
    try SizeOptions.require(symbols)
    return types
  }
}

extension Graph {
  /// The symbols in the types of the inputs.
  var inputSymbols: Set<String> {
    inputs.reduce(into: []) { symbols, input in
      for dimension in (try? type(of: input))?.shape ?? [] { symbols.formUnion(dimension.symbols) }
    }
  }
}

extension [String: Int] {
  /// - Throws: `ValidationError` for a symbol that has another size.
  fileprivate mutating func add(_ size: Int, for symbol: String) throws {
    if let other = updateValue(size, forKey: symbol), other != size {
      throw ValidationError("'\(symbol)' is to be \(other) and \(size)")
    }
  }
}

extension GraphDocument {
  /// The graph that the document describes.
  /// - Throws: `FormatError` with the path to what is wrong.
  func graph(operators: OperatorTable) throws(FormatError) -> Graph {
    var builder = Builder(self, operators)
    return try builder.build()
  }

  /// An operand that comes before the value it names.
  private struct Pending {
    let node: NodeID
    let operand: Int
    let value: Int
    let place: String
  }

  private struct Builder {
    private let document: GraphDocument
    private var assembler: GraphAssembler
    private var types: [String: ValueType] = [:]

    init(_ document: GraphDocument, _ operators: OperatorTable) {
      self.document = document
      assembler = GraphAssembler(name: document.name, operators: operators)
    }

    mutating func build() throws(FormatError) -> Graph {
      try addFacts()
      for (index, parameter) in (document.parameters ?? []).enumerated() { try add(parameter, "parameters[\(index)]") }
      guard !document.regions.isEmpty else { throw error("regions", .expected("at least the body")) }
      var owners: [NodeID?] = Array(repeating: nil, count: document.regions.count)
      var queue = [0]
      var next = 0
      while next < queue.count {
        let index = queue[next]
        next += 1
        var region = assembler.graph.body
        if let owner = owners[index] {
          do { region = try assembler.addRegion(to: owner) } catch { throw self.error("regions[\(index)]", .graph(error)) }
        }
        for (owner, owned) in try add(document.regions[index], to: region, "regions[\(index)]") {
          for region in owned {
            guard document.regions.indices.contains(region) else {
              throw error("regions[\(index)]", .index("region", region, count: document.regions.count))
            }
            guard region != 0, owners[region] == nil else {
              throw error("regions[\(region)]", .expected("a region that one node owns"))
            }
            owners[region] = owner
            queue.append(region)
          }
        }
      }
      guard queue.count == document.regions.count else { throw error("regions", .expected("an owner of each region")) }
      return assembler.finish()
    }

    private func error(_ place: String, _ fault: FormatError.Fault) -> FormatError {
      FormatError(.json, at: place, fault)
    }

    // MARK: Facts and parameters

    private mutating func addFacts() throws(FormatError) {
      var symbols: [String: SymbolBounds] = [:]
      for (index, symbol) in (document.symbols ?? []).enumerated() {
        let bounds = SymbolBounds(minimum: symbol.minimum ?? 0, maximum: symbol.maximum, divisor: symbol.divisor ?? 1)
        guard bounds.minimum >= 0, bounds.divisor >= 1 else {
          throw error("symbols[\(index)]", .expected("bounds of at least 0 and a divisor of at least 1"))
        }
        symbols[symbol.name] = bounds
      }
      var constraints: [DimensionConstraint] = []
      for (index, constraint) in (document.constraints ?? []).enumerated() {
        let place = "constraints[\(index)]"
        let left = try dimension(constraint.left, place)
        constraints.append(DimensionConstraint(left, constraint.relation, try dimension(constraint.right, place)))
      }
      assembler.setFacts(
        metadata: document.metadata ?? [:], operatorSets: document.operatorSets ?? [:], symbols: symbols,
        constraints: constraints)
    }

    private mutating func add(_ parameter: Parameter, _ place: String) throws(FormatError) {
      let type = try tensorType(parameter.type, place)
      var tensor: Tensor?
      if let data = parameter.tensor {
        if let name = data.shared {
          guard let id = assembler.graph.parameterNames[name], let other = assembler.graph.parameters[id].tensor,
            let shape = try tensorType(data.type, place).shape?.sizes
          else { throw error(place, .expected("a parameter before this one that has bytes to share")) }
          tensor = try attempt(place) { () throws(TensorError) in try other.reshaped(shape) }
        } else {
          tensor = try self.tensor(data, place)
        }
      }
      do {
        _ = try assembler.addParameter(parameter.name, role: parameter.role, type: type, tensor: tensor)
      } catch {
        throw self.error(place, .graph(error))
      }
    }

    private mutating func tensor(_ data: TensorData, _ place: String) throws(FormatError) -> Tensor {
      let type = try tensorType(data.type, place)
      guard let shape = type.shape?.sizes else { throw error(place, .expected("a type with fixed sizes")) }
      if let strings = data.strings, type.elementType == .string {
        return try attempt(place) { () throws(TensorError) in try Tensor(shape, strings: strings) }
      }
      guard var text = data.data, let bytes = text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0)) }) else {
        throw error(place, .expected("the elements as base 64 in 'data', or 'strings'"))
      }
      do {
        return try bytes.withUnsafeBytes { try Tensor(type.elementType, shape, bytes: $0) }
      } catch {
        throw self.error(place, .tensor(error as? TensorError ?? .byteCount(type.elementType, shape, bytes.count)))
      }
    }

    private func attempt<Value>(_ place: String, _ body: () throws(TensorError) -> Value) throws(FormatError) -> Value {
      do {
        return try body()
      } catch {
        throw self.error(place, .tensor(error))
      }
    }

    // MARK: Types

    private mutating func type(_ text: String, _ place: String) throws(FormatError) -> ValueType {
      if let type = types[text] { return type }
      do {
        let type = try TextScanner.type(text)
        types[text] = type
        return type
      } catch {
        throw self.error(place, .text(error))
      }
    }

    private mutating func tensorType(_ text: String, _ place: String) throws(FormatError) -> TensorType {
      guard case .tensor(let type) = try type(text, place) else { throw error(place, .expected("the type of a tensor")) }
      return type
    }

    private func dimension(_ text: String, _ place: String) throws(FormatError) -> Dimension {
      do {
        return try TextScanner.dimension(text)
      } catch {
        throw self.error(place, .text(error))
      }
    }

    // MARK: Regions

    /// Adds all of a region but the regions inside, and says which nodes own those.
    private mutating func add(
      _ region: Region, to id: RegionID, _ place: String
    ) throws(FormatError) -> [(NodeID, [Int])] {
      var values: [Int: ValueID] = [:]
      for (index, argument) in region.arguments.enumerated() {
        let place = "\(place).arguments[\(index)]"
        let type = try type(argument.type, place)
        do {
          try define(assembler.addArgument(to: id, name: argument.name, type: type), argument, &values, place)
        } catch let error as GraphError {
          throw self.error(place, .graph(error))
        } catch {
          throw error as? FormatError ?? self.error(place, .expected("a value"))
        }
      }
      var owners: [(NodeID, [Int])] = []
      var pending: [Pending] = []
      for (index, node) in region.nodes.enumerated() {
        let added = try add(node, to: id, &values, &pending, "\(place).nodes[\(index)]")
        if let regions = node.regions, !regions.isEmpty { owners.append((added, regions)) }
      }
      for use in pending {
        guard let value = values[use.value] else {
          throw error(use.place, .expected("a value of the same region, not \(use.value)"))
        }
        assembler.setOperand(use.operand, of: use.node, to: .value(value))
      }
      var results: [FXCore.Operand] = []
      for (index, result) in region.results.enumerated() {
        let place = "\(place).results[\(index)]"
        guard let operand = try operand(result.operand, values, place) else {
          throw error(place, .expected("a value of the same region, not \(result.operand.value ?? 0)"))
        }
        results.append(operand)
      }
      assembler.setResults(of: id, results, names: region.results.map(\.name))
      do {
        try assembler.checkNames(of: id)
      } catch {
        throw self.error(place, .graph(error))
      }
      return owners
    }

    private func define(
      _ value: ValueID, _ written: Value, _ values: inout [Int: ValueID], _ place: String
    ) throws(FormatError) {
      guard values.updateValue(value, forKey: written.id) == nil else {
        throw error(place, .expected("another id than \(written.id), which is taken"))
      }
    }

    private mutating func add(
      _ node: Node, to region: RegionID, _ values: inout [Int: ValueID], _ pending: inout [Pending], _ place: String
    ) throws(FormatError) -> NodeID {
      var operands: [FXCore.Operand] = []
      var missing: [(index: Int, value: Int)] = []
      for (index, written) in node.operands.enumerated() {
        let operand = try operand(written, values, "\(place).operands[\(index)]")
        if operand == nil { missing.append((index, written.value ?? 0)) }
        operands.append(operand ?? .none)
      }
      var attributes: [(String, AttributeValue)] = []
      for (name, attribute) in node.attributes ?? [:] {
        attributes.append((name, try self.attribute(attribute, "\(place).attributes[\(name.quoted)]")))
      }
      var types: [ValueType] = []
      for result in node.results { types.append(try type(result.type, place)) }
      let location = node.location.map { FXCore.Location(file: $0.file, line: $0.line, modulePath: $0.module ?? "") }
      let id: NodeID
      do throws(GraphError) {
        let op = try assembler.findOperator(
          node.op, domain: node.domain ?? "", version: node.version ?? 1, isRegistered: node.registered ?? true)
        if let schema = op.schema, schema.regions.count != node.regions?.count ?? 0 {
          throw .regionCount(op.description, expected: schema.regions.count, actual: node.regions?.count ?? 0)
        }
        id = try assembler.addNode(
          op, operands, Attributes(attributes), results: types, labels: node.results.map(\.name),
          serial: node.number, name: node.name, location: location, to: region)
      } catch {
        throw self.error(place, .graph(error))
      }
      for (written, value) in zip(node.results, assembler.graph.nodes[id].results) {
        try define(value, written, &values, place)
      }
      for (index, value) in missing {
        pending.append(Pending(node: id, operand: index, value: value, place: "\(place).operands[\(index)]"))
      }
      return id
    }

    /// The operand; `nil` for a value that is not defined yet.
    private func operand(
      _ operand: Operand, _ values: [Int: ValueID], _ place: String
    ) throws(FormatError) -> FXCore.Operand? {
      if let id = operand.value { return values[id].map { .value($0) } }
      if let name = operand.parameter {
        guard let id = assembler.graph.parameterNames[name] else {
          let suggestions = assembler.graph.parameterNames.keys.nearest(to: name)
          throw error(place, .graph(.unknownName(name, suggestions: suggestions)))
        }
        return .parameter(id)
      }
      if let x = operand.bool { return .literal(.bool(x)) }
      if let x = operand.int { return .literal(.int(x)) }
      if let x = operand.float { return .literal(.float(x.value)) }
      return FXCore.Operand.none
    }

    private mutating func attribute(_ attribute: Attribute, _ place: String) throws(FormatError) -> AttributeValue {
      if let x = attribute.bool { return .bool(x) }
      if let x = attribute.int { return .int(x) }
      if let x = attribute.float { return .float(x.value) }
      if let x = attribute.string { return .string(x) }
      if let x = attribute.ints { return .ints(x) }
      if let x = attribute.floats { return .floats(x.map(\.value)) }
      if let x = attribute.strings { return .strings(x) }
      if let x = attribute.elementType { return .elementType(x) }
      if let x = attribute.type { return .type(try type(x, place)) }
      if let x = attribute.types {
        var types: [ValueType] = []
        for text in x { types.append(try type(text, place)) }
        return .types(types)
      }
      if let x = attribute.tensor { return .tensor(try tensor(x, place)) }
      if let x = attribute.tensors {
        var tensors: [Tensor] = []
        for data in x { tensors.append(try tensor(data, place)) }
        return .tensors(tensors)
      }
      throw error(place, .expected("a value of a known kind, such as {\"int\": 1}"))
    }
  }
}

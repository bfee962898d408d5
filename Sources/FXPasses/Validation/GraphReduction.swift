import FXCore

/// A small graph with inputs for which something still happens that happened for a large one.
public struct ReducedGraph: Sendable {
  /// The calls that are left. What those cut off gave, as far as it is used, are inputs.
  public let graph: Graph
  /// One value per input of `graph`, for which it still happens.
  public let inputs: [RuntimeValue]

  /// How many calls are left.
  public var callCount: Int { (try? graph.nodes(in: graph.body).count) ?? 0 }
}

/// Makes the smallest graph it can for which a property holds: later calls are cut off first, then earlier ones, whose results
/// become inputs with the values that they had, then single calls in between.
///
/// Source: Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing Input", with the order of execution in
/// place of halves of a text.
public struct GraphReduction: Sendable {
  /// What must go on holding, such as that a pass fails. It is asked of many graphs, each with inputs of its own.
  public typealias Property = @Sendable (Graph, [RuntimeValue]) -> Bool
  /// Gives the values that calls had.
  public let executor: any GraphExecutor
  /// How often the property is asked at most.
  public var budget: Int

  /// A reduction that asks the property at most `budget` times.
  public init(executor: any GraphExecutor, budget: Int = 256) {
    self.executor = executor
    self.budget = budget
  }

  /// - Parameter property: what must go on holding; it holds for `graph` and `inputs`.
  /// - Throws: what the executor throws for the graph itself.
  /// - Complexity: O(log nodes) questions to find the ends, O(nodes left) for what lies between them.
  public func reduce(_ graph: Graph, _ inputs: [RuntimeValue], while property: @escaping Property) throws -> ReducedGraph {
    var search = Search(graph, inputs, try values(of: graph, inputs), property, budget)
    search.cutEnd()
    search.cutStart()
    search.cutBetween()
    return search.best
  }

  /// What every value of the body is in a run.
  private func values(of graph: Graph, _ inputs: [RuntimeValue]) throws -> [ValueID: RuntimeValue] {
    var probe = graph
    let all = try graph.nodes(in: graph.body).flatMap { try graph[$0].results }
    try probe.setResults(of: probe.body, all.map(Operand.value), names: [])
    var values = Dictionary(zip(graph.inputs, inputs), uniquingKeysWith: { first, _ in first })
    for (value, result) in zip(all, try executor.run(probe, inputs: inputs)) { values[value] = result }
    return values
  }

  private struct Search {
    let graph: Graph
    let inputs: [RuntimeValue]
    let values: [ValueID: RuntimeValue]
    let property: Property
    var questions: Int
    let nodes: [NodeID]
    /// The calls that are kept: a stretch of the list without holes.
    var range: Range<Int>
    var holes: Set<Int> = []
    /// The values that the reduced graph gives; `nil` for the graph's own results.
    var results: [Operand]?
    var best: ReducedGraph

    init(
      _ graph: Graph, _ inputs: [RuntimeValue], _ values: [ValueID: RuntimeValue], _ property: @escaping Property, _ budget: Int
    ) {
      (self.graph, self.inputs, self.values, self.property, questions) = (graph, inputs, values, property, budget)
      nodes = (try? graph.nodes(in: graph.body)) ?? []
      range = 0..<nodes.count
      best = ReducedGraph(graph: graph, inputs: inputs)
    }

    /// The fewest first calls, the last of which gives the result.
    mutating func cutEnd() {
      let last = search(1, nodes.count) { search, count in
        search.keep(0..<count, [], search.resultsOf(search.nodes[count - 1]))
      }
      guard let last else { return }
      range = 0..<last
      results = resultsOf(nodes[last - 1])
    }

    /// The fewest last calls.
    mutating func cutStart() {
      let end = range.upperBound
      let count = search(1, range.count) { search, count in search.keep(end - count..<end, [], search.results) }
      guard let count else { return }
      range = end - count..<end
    }

    /// Call by call, while one goes.
    mutating func cutBetween() {
      var isChanged = true
      while isChanged {
        isChanged = false
        for index in range.dropLast().reversed() where !holes.contains(index) && keep(range, holes.union([index]), results) {
          holes.insert(index)
          isChanged = true
        }
      }
    }

    /// The least count for which the question is answered with yes, as if the answers were no up to there and yes from there on.
    private mutating func search(_ low: Int, _ high: Int, _ asks: (inout Search, Int) -> Bool) -> Int? {
      var (low, high) = (low, high)
      var found: Int?
      while low <= high {
        let middle = (low + high) / 2
        if asks(&self, middle) { (found, high) = (middle, middle - 1) } else { low = middle + 1 }
      }
      return found
    }

    private func resultsOf(_ node: NodeID) -> [Operand] { ((try? graph[node])?.results ?? []).map(Operand.value) }

    /// Asks, and keeps the candidate where the answer is yes: each of them is smaller than those kept before it.
    private mutating func keep(_ range: Range<Int>, _ holes: Set<Int>, _ results: [Operand]?) -> Bool {
      guard let found = ask(range, holes, results) else { return false }
      best = found
      return true
    }

    private mutating func ask(_ range: Range<Int>, _ holes: Set<Int>, _ results: [Operand]?) -> ReducedGraph? {
      guard questions > 0, let candidate = try? candidate(range, holes, results) else { return nil }
      questions -= 1
      return property(candidate.graph, candidate.inputs) ? candidate : nil
    }

    /// The graph of the calls that are kept.
    private func candidate(_ range: Range<Int>, _ holes: Set<Int>, _ results: [Operand]?) throws -> ReducedGraph {
      var graph = graph
      var given = inputs
      if let results { try graph.setResults(of: graph.body, results, names: []) }
      for index in nodes.indices where !range.contains(index) || holes.contains(index) {
        for result in try graph[nodes[index]].results where try !graph.uses(of: result).isEmpty {
          guard let value = values[result] else { continue }
          let name = graph.name(of: result)
          let input = try graph.addInput("\(name)_given", value.type)
          try graph.replaceAllUses(of: result, with: .value(input))
          given.append(value)
        }
      }
      for index in nodes.indices.reversed() where !range.contains(index) || holes.contains(index) {
        try graph.erase(nodes[index])
      }
      let unused = try Set(graph.inputs.indices.filter { try graph.uses(of: graph.inputs[$0]).isEmpty })
      given = given.indices.filter { !unused.contains($0) }.map { given[$0] }
      try graph.removeArguments(of: graph.body, at: unused)
      graph.removeUnusedParameters()
      return ReducedGraph(graph: graph, inputs: given)
    }
  }
}

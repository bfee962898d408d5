import FXCore
import Synchronization
import Testing

@Suite struct BackendRegistryTests {
  private struct Echo: CustomBackend {
    var name = "echo"
    var refuses: Operator?
    var surplus = 0

    var info: BackendInfo { BackendInfo(name: name, version: "1", capabilities: [.graphExecution], deviceTypes: ["test"]) }

    func support(for node: NodeID, in graph: Graph) -> BackendSupport {
      (try? graph[node].op) == refuses && refuses != nil ? .unsupported(reason: "not today") : .supported
    }

    func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
      graph.outputs.map { _ in inputs[0] } + Array(repeating: inputs[0], count: surplus)
    }
  }

  private final class Counter: Sendable {
    let value = Mutex(0)
  }

  private static func graph() throws -> Graph {
    try Graph(text: "fx 1\ngraph @main(%x: f32[]) {\n%y: f32[] = relu(%x)\nreturn %y\n}")
  }

  @Test func unknownNamesListThoseKnown() throws {
    let registry = BackendRegistry()
    #expect(throws: BackendError.unknown("tpu", known: [])) { try registry.makeBackend("tpu") }
    registry.register("b") { Echo() }
    registry.register("a") { Echo() }
    #expect { try registry.makeBackend("tpu") } throws: { "\($0)" == "there is no backend 'tpu'; registered: a, b" }
    #expect(registry.unregister("b") && !registry.unregister("b"))
    #expect(registry.names == ["a"])
    #expect(try registry.infos().map(\.info.name) == ["echo"])
  }

  @Test func aBackendRefusesWhatItDoesNotSupport() throws {
    let x = [RuntimeValue.tensor(Tensor(Float(3)))]
    let graph = try Self.graph()
    #expect(try Echo().compile(graph).run(x) == x)
    #expect(throws: ExecutionError.unsupported(["relu (not today)"])) { try Echo(refuses: .relu).compile(graph) }
    #expect(throws: BackendError.resultCount("echo", expected: ["y"], actual: 2)) { try Echo(surplus: 1).compile(graph).run(x) }
  }

  @Test func deepSupportAsksInsideRegions() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @main(%p: bool[], %x: f32[]) {
          %y: f32[] = cond(%p, %x) then(%s: f32[]) {
            %t: f32[] = relu(%s)
            return %t
          } else(%s: f32[]) {
            return %s
          }
          return %y
        }
        """)
    let node = graph.bodyNodes[0]
    #expect(Echo(refuses: .relu).support(for: node, in: graph) == .supported)
    #expect(Echo(refuses: .relu).deepSupport(for: node, in: graph) == .unsupported(reason: "not today"))
    #expect(Echo(refuses: .relu).obstacles(in: graph) == ["relu (not today)"])
  }

  /// Many threads register, ask and run at once; nothing is lost. `make sanitize` runs this under the thread sanitizer.
  @Test func threadSafe() async throws {
    let registry = BackendRegistry()
    let made = Counter()
    let graph = try Self.graph()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<16 {
        group.addTask {
          for turn in 0..<100 {
            let name = "backend-\(task)-\(turn % 10)"
            registry.register(name) {
              made.value.withLock { $0 += 1 }
              // A factory may ask the registry.
              _ = registry.names
              return Echo(name: name)
            }
            let backend = try? registry.makeBackend(name)
            #expect(backend?.info.name == name)
            let value = RuntimeValue.tensor(Tensor(Float(turn)))
            #expect((try? backend?.compile(graph).run([value])) == [value])
            if turn % 10 == 9 { registry.unregister("backend-\(task)-0") }
          }
        }
      }
    }
    #expect(made.value.withLock { $0 } == 1600)
    #expect(registry.names.count == 16 * 9)
  }
}

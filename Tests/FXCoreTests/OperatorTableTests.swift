import FXCore
import Testing

@Suite struct OperatorTableTests {
  /// A replacement is found by its own aliases; those of the operator before it are names of nothing.
  @Test func replacementsTakeTheAliases() throws {
    func op(_ summary: String, _ aliases: [String]) -> Operator {
      Operator("snake", domain: "test", .activation, summary, operands: ["x"], aliases: aliases)
    }
    var table = OperatorTable([op("old", ["wave", "snaky"])])
    table.register(op("new", ["wave", "hiss"]))
    #expect(table.operators.map(\.schema?.summary) == ["new"])
    for name in ["test::snake", "wave", "hiss"] { #expect(try table.find(name).schema?.summary == "new", "\(name)") }
    #expect(table["snaky"] == nil)
  }
}

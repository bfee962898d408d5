import FXCore

/// Operators that give their operand's bytes another shape.
extension KernelTable {
  mutating func addViews() {
    let names = ["reshape", "squeeze", "unsqueeze", "flatten", "identity"]
    set(names.compactMap { OperatorTable.standard[$0] }) { _ in .view(ofOperand: 0) }
  }
}

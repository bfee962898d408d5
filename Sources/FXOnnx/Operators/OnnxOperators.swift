import FXCore

/// How one operator of ours and one of ONNX's correspond.
public struct OnnxOperator: Sendable {
  /// The operator of ours.
  public let op: Operator
  /// The ONNX side: its name, and what it looks like in which operator set.
  public let form: OnnxForm

  /// A row that reads and writes calls of `op` in the form given.
  public init(_ op: Operator, _ form: OnnxForm) {
    self.op = op
    self.form = form
  }
}

/// The correspondences that import and export go by. A value: users extend a copy of `.standard`.
public struct OnnxOperators: Sendable {
  struct Key: Hashable, Sendable {
    let domain: String
    let opType: String
  }
  private var byOnnx: [Key: OnnxOperator] = [:]
  private var byOperator: [Operator: OnnxOperator] = [:]

  /// The newest operator set of each domain that the rows know.
  public var newest: [String: Int] = [
    "": 28, "ai.onnx.ml": 5, "ai.onnx.preview": 1, "ai.onnx.preview.training": 1, "com.microsoft": 1,
  ]
  /// The oldest operator set that can be written.
  public static let oldestWritten = 7

  /// A table of these rows, none by default; of two for one operator the later counts.
  public init(_ rows: [OnnxOperator] = []) {
    for row in rows { register(row) }
  }

  /// Adds a row for reading and writing, replacing those of the same ONNX operator and of the same operator of ours.
  public mutating func register(_ row: OnnxOperator) {
    registerForReading(row)
    registerForWriting(row)
  }

  /// Adds a row by which nodes are read; calls of its operator are written by another.
  public mutating func registerForReading(_ row: OnnxOperator) {
    byOnnx[Key(domain: row.form.domain, opType: row.form.opType)] = row
  }

  /// Adds a row by which calls are written; nodes of its ONNX operator are read by another.
  public mutating func registerForWriting(_ row: OnnxOperator) { byOperator[row.op] = row }

  /// The row of an ONNX operator. `ai.onnx` is the same domain as the empty one.
  public func row(_ opType: String, domain: String = "") -> OnnxOperator? {
    byOnnx[Key(domain: GraphReader.normalized(domain), opType: opType)]
  }

  /// The row by which calls of `op` are written.
  public func row(for op: Operator) -> OnnxOperator? { byOperator[op] }

  /// All rows by which nodes are read, by domain and name.
  public var rows: [OnnxOperator] {
    byOnnx.values.sorted { ($0.form.domain, $0.form.opType) < ($1.form.domain, $1.form.opType) }
  }
}

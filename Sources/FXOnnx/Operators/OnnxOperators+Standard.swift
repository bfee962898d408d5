import FXCore

extension OnnxOperators {
  /// The rows of every operator of ours that ONNX has: our operators name their ONNX counterparts, the forms say how
  /// those changed from version to version.
  public static let standard = OnnxOperators(operators: .standard)

  /// The rows of a table's operators.
  public init(operators: OperatorTable) {
    self.init()
    let forms = OnnxForms.standard
    for op in operators.operators {
      guard let name = op.schema?.onnxName else { continue }
      let (domain, opType) = OnnxForms.split(name)
      let form = forms.byName[name] ?? OnnxForm(opType, domain: domain)
      // Of several operators of ours with one counterpart, nodes are read as the first.
      if row(opType, domain: domain) == nil { registerForReading(OnnxOperator(op, form)) }
      registerForWriting(OnnxOperator(op, form))
    }
    for (name, form) in forms.readAs {
      if let op = operators[name] { registerForReading(OnnxOperator(op, form)) }
    }
    for (name, form) in forms.writtenAs {
      if let op = operators[name] { registerForWriting(OnnxOperator(op, form)) }
    }
  }
}

/// The forms of all families.
struct OnnxForms: Sendable {
  /// Of operators that name their counterpart, by its name; `domain::name` outside the default domain.
  var byName: [String: OnnxForm] = [:]
  /// Of ONNX operators that are read as an operator of ours with another counterpart, or none.
  var readAs: [(op: String, form: OnnxForm)] = []
  /// Of operators of ours without a counterpart, which are written with several nodes.
  var writtenAs: [(op: String, form: OnnxForm)] = []

  /// The forms of every operator family, contributed operators (`com.microsoft`) and classical models (`ai.onnx.ml`) included.
  static let standard: OnnxForms = {
    var forms = OnnxForms()
    for family in [
      OnnxForm.elementwise, OnnxForm.comparison, OnnxForm.activation, OnnxForm.reduction, OnnxForm.linearAlgebra,
      OnnxForm.pooling, OnnxForm.normalization, OnnxForm.reshaping, OnnxForm.indexing, OnnxForm.attention,
      OnnxForm.recurrent, OnnxForm.random, OnnxForm.quantization, OnnxForm.image, OnnxForm.signal, OnnxForm.sequence,
      OnnxForm.text, OnnxForm.controlFlow, OnnxForm.gradient, OnnxForm.contrib,
      OnnxForm.trees,
    ] {
      for form in family { forms.byName[form.domain.isEmpty ? form.opType : "\(form.domain)::\(form.opType)"] = form }
    }
    forms.readAs =
      OnnxForm.readAsReshaping + OnnxForm.readAsImage + OnnxForm.readAsIndexing + OnnxForm.readAsContrib
      + OnnxForm.readAsContribQuantization
    forms.writtenAs = OnnxForm.writtenComparison + OnnxForm.writtenLinearAlgebra + OnnxForm.writtenControlFlow
    return forms
  }()

  static func split(_ name: String) -> (domain: String, opType: String) {
    guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")), name.utf8[colon...].starts(with: "::".utf8) else {
      return ("", name)
    }
    return (String(name[..<colon]), String(name.utf8[colon...].dropFirst(2)) ?? "")
  }
}

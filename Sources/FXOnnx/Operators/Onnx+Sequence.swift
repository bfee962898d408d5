import FXCore

extension OnnxForm {
  static let sequence: [OnnxForm] = [
    OnnxForm("SequenceMap", since: 17), OnnxForm("Optional", since: 15), OnnxForm("OptionalGetElement", since: 15),
    OnnxForm("OptionalHasElement", since: 15),
  ]
}

import FXCore

extension OnnxForm {
  static let text: [OnnxForm] =
    ["RegexFullMatch", "StringConcat", "StringSplit"].map { OnnxForm($0, since: 20) }
    + [OnnxForm("StringNormalizer", since: 10), OnnxForm("TfIdfVectorizer", since: 9)]
}

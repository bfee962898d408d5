/// Strings. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// `string_concat`: Strings joined element by element, with broadcasting.
  public static let stringConcat = Operator(
    "string_concat", .text, "Strings joined element by element, with broadcasting.", operands: ["a", "b"],
    types: ["T": .string], traits: .elementwise, onnx: "StringConcat")
  /// `string_split`: The pieces between delimiters along a new axis, filled with empty strings, and their numbers.
  public static let stringSplit = Operator(
    "string_split", .text, "The pieces between delimiters along a new axis, filled with empty strings, and their numbers.",
    operands: ["x"], results: ["y", "counts: I"], types: ["T": .string, "I": .int64],
    attributes: [StringSplit.delimiter.specification, StringSplit.maxSplit.specification], onnx: "StringSplit")
  /// `string_normalizer`: A list without stop words, in one case; one empty string if nothing is left.
  public static let stringNormalizer = Operator(
    "string_normalizer", .text, "A list without stop words, in one case; one empty string if nothing is left.",
    operands: ["x"], types: ["T": .string],
    attributes: [
      StringNormalizer.caseChange.specification, StringNormalizer.isCaseSensitive.specification,
      StringNormalizer.locale.specification, StringNormalizer.stopWords.specification,
    ], onnx: "StringNormalizer")
  /// `regex_full_match`: Whether a regular expression matches each string as a whole.
  public static let regexFullMatch = Operator(
    "regex_full_match", .text, "Whether a regular expression matches each string as a whole.", operands: ["x"],
    results: ["y: B"], types: ["T": .string, "B": .bool], attributes: [RegexFullMatch.pattern.specification],
    traits: .elementwise, onnx: "RegexFullMatch")
  /// `tf_idf_vectorizer`: How often each n-gram of a pool occurs in a sequence: [c] or [n, c] to [size] or [n, size].
  public static let tfIdfVectorizer = Operator(
    "tf_idf_vectorizer", .text, "How often each n-gram of a pool occurs in a sequence: [c] or [n, c] to [size] or [n, size].",
    operands: ["x"], results: ["y: F"], types: ["T": .init(.string, .int64, .int32), "F": .init(.float32)],
    attributes: [
      TfIdf.maxLength.specification, TfIdf.maxSkip.specification, TfIdf.minLength.specification, TfIdf.mode.specification,
      TfIdf.counts.specification, TfIdf.indexes.specification, TfIdf.integerPool.specification,
      TfIdf.stringPool.specification, TfIdf.weights.specification,
    ], onnx: "TfIdfVectorizer")

  /// `tokenizer`: The tokens of each string along a new axis, padded: ONNX Runtime's `Tokenizer`.
  public static let tokenizer = Operator(
    "tokenizer", .text, "The tokens of each string along a new axis, padded: ONNX Runtime's `Tokenizer`.",
    operands: ["x"], types: ["T": .string],
    attributes: [
      Tokenizer.mark.specification, Tokenizer.leastCharacters.specification, Tokenizer.padValue.specification,
      Tokenizer.separators.specification, Tokenizer.expression.specification,
    ], onnx: "com.microsoft::Tokenizer")

  package static let texts: [Operator] = [
    .stringConcat, .stringSplit, .stringNormalizer, .regexFullMatch, .tfIdfVectorizer, .tokenizer,
  ]
}

/// The attributes of `string_split`.
public enum StringSplit {
  /// Runs of white space if absent or empty.
  public static let delimiter = AttributeKey<String?>("delimiter")
  /// The most splits, from the left; what is left stays whole.
  public static let maxSplit = AttributeKey<Int?>("maxsplit")
}

/// The attributes of `string_normalizer`.
public enum StringNormalizer {
  /// ONNX's `case_change_action`.
  public static let caseChange = AttributeKey<String>(
    "case_change_action", default: "NONE", allowed: ["NONE", "LOWER", "UPPER"])
  /// ONNX's `is_case_sensitive`.
  public static let isCaseSensitive = AttributeKey<Bool>("is_case_sensitive", default: false)
  /// Kept for other runtimes: here case changes as Unicode says, in any locale.
  public static let locale = AttributeKey<String?>("locale")
  /// ONNX's `stopwords`.
  public static let stopWords = AttributeKey<[String]?>("stopwords")
}

/// The attributes of `regex_full_match`.
public enum RegexFullMatch {
  /// In the syntax of RE2.
  public static let pattern = AttributeKey<String?>("pattern")
}

/// The pool lists all 1-grams, then all 2-grams, and so on.
public enum TfIdf {
  /// ONNX's `min_gram_length`.
  public static let minLength = AttributeKey<Int>("min_gram_length")
  /// ONNX's `max_gram_length`.
  public static let maxLength = AttributeKey<Int>("max_gram_length")
  /// The most elements between two of an n-gram.
  public static let maxSkip = AttributeKey<Int>("max_skip_count")
  /// Counts (`TF`), weights of what occurs (`IDF`), or counts times weights (`TFIDF`).
  public static let mode = AttributeKey<String>("mode", allowed: ["TF", "IDF", "TFIDF"])
  /// Where in the pool the 1-grams, 2-grams, … start.
  public static let counts = AttributeKey<[Int]>("ngram_counts")
  /// The column of each n-gram.
  public static let indexes = AttributeKey<[Int]>("ngram_indexes")
  /// ONNX's `pool_int64s`.
  public static let integerPool = AttributeKey<[Int]?>("pool_int64s")
  /// ONNX's `pool_strings`.
  public static let stringPool = AttributeKey<[String]?>("pool_strings")
  /// The weight of each column; 1 if absent.
  public static let weights = AttributeKey<[Float]?>("weights")
}

/// Either `expression` matches tokens or `separators` match what is between them.
public enum Tokenizer {
  /// Whether tokens stand between U+0002 and U+0003.
  public static let mark = AttributeKey<Bool>("mark")
  /// Shorter tokens are dropped.
  public static let leastCharacters = AttributeKey<Int>("mincharnum")
  /// ONNX's `pad_value`.
  public static let padValue = AttributeKey<String>("pad_value")
  /// Regular expressions in the syntax of RE2; a single empty one makes each character a token.
  public static let separators = AttributeKey<[String]?>("separators")
  /// In the syntax of RE2.
  public static let expression = AttributeKey<String?>("tokenexp")
}

/// Gives names of graphs the form that a language wants, each name once.
struct Identifiers: Sendable {
  private var taken: Set<String>

  /// - Parameter reserved: names that are not given out: the language's keywords, and what the program uses.
  init(reserved: Set<String>) { taken = reserved }

  /// An identifier that reads like `name`: letters, digits and underscores, with a number appended if it is taken.
  mutating func unique(_ name: String) -> String {
    let base = Identifiers.sanitized(name)
    var candidate = base
    var number = 1
    while !taken.insert(candidate).inserted {
      number += 1
      candidate = "\(base)_\(number)"
    }
    return candidate
  }

  /// The name with everything but ASCII letters and digits as single underscores, none at the ends; `v` in front of a digit.
  static func sanitized(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
        result.unicodeScalars.append(scalar)
      } else if !result.isEmpty, result.last != "_" {
        result.append("_")
      }
    }
    while result.last == "_" { result.removeLast() }
    guard let first = result.unicodeScalars.first else { return "value" }
    return ("0"..."9").contains(first) ? "v" + result : result
  }

  /// The name in words that start with capitals: `resnet_18` is `Resnet18`.
  static func capitalized(_ name: String) -> String {
    sanitized(name).split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// Python's keywords, and the names from its library that generated programs use.
  static let python: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
    "pass", "raise", "return", "try", "while", "with", "yield", "match", "case", "type", "print", "range", "len", "tuple",
    "list", "dict", "int", "float", "bool", "max", "min", "sum", "abs", "zip", "math", "self", "slice", "str", "set", "object",
    "enumerate", "map", "filter", "sorted", "reversed", "any", "all", "iter", "next", "open", "input", "id",
  ]

  /// The modules that programs import: a file of such a name beside a program would be taken for the module.
  static let pythonModules: Set<String> = ["torch", "numpy", "json", "itertools", "pathlib", "math"]
}

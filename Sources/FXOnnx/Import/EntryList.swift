/// Keys and values as one text: a line `key=value` for each, with `\n`, `\\` and, in keys, `\=` for what would be
/// mistaken.
enum EntryList {
  static func text(_ entries: [(key: String, value: String)]) -> String {
    entries.map { "\(escaped($0.key, isKey: true))=\(escaped($0.value, isKey: false))" }.joined(separator: "\n")
  }

  /// Lines without `=` are keys without a value.
  static func entries(_ text: String) -> [(key: String, value: String)] {
    text.unicodeScalars.split(separator: "\n").map { line in
      var parts = ["", ""]
      var (part, isEscaped) = (0, false)
      for scalar in line {
        if isEscaped {
          parts[part].unicodeScalars.append(scalar == "n" ? "\n" : scalar)
          isEscaped = false
        } else if scalar == "\\" {
          isEscaped = true
        } else if scalar == "=", part == 0 {
          part = 1
        } else {
          parts[part].unicodeScalars.append(scalar)
        }
      }
      return (parts[0], parts[1])
    }
  }

  private static func escaped(_ text: String, isKey: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\\": result += "\\\\"
      case "=" where isKey: result += "\\="
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

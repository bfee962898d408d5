extension String {
  /// Letters, digits, `_`, `.`, `$`, `/` and `-`, the first a letter, `_` or `/`: what the text format writes without quotes.
  package var isPlainName: Bool {
    guard let first = utf8.first, first.isNameStart else { return false }
    return utf8.allSatisfy(\.isNameByte)
  }

  /// Names of dimension symbols: letters, digits and `_`, since `-`, `/` and `.` would read as arithmetic.
  package var isDimensionName: Bool {
    guard let first = utf8.first, first.isLetter || first == UInt8(ascii: "_") else { return false }
    return utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
      && !["min", "max", "mod", "floordiv"].contains(self)
  }

  /// The string in double quotes, with `\"`, `\\`, `\n`, `\t`, `\r` and `\u{…}` for what cannot stand as it is.
  package var quoted: String { quoted { "\\u{\(String($0, radix: 16))}" } }

  /// The string in double quotes.
  /// - Parameter control: how the characters are spelled that no source text holds, from their codes.
  package func quoted(control: (UInt32) -> String) -> String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: text += control(scalar.value)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// In single quotes, or `quoted` where a character would end a line: texts come from files.
  package var inQuotes: String { unicodeScalars.contains { $0.value < 0x20 } ? quoted : "'\(self)'" }

  /// As it is if plain, else quoted.
  package var nameText: String { isPlainName ? self : quoted }
}

extension UInt8 {
  package var isLetter: Bool { (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z") }
  package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
  package var isNameByte: Bool {
    isLetter || isDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: ".") || self == UInt8(ascii: "$")
      || self == UInt8(ascii: "/") || self == UInt8(ascii: "-")
  }
  package var isNameStart: Bool { isLetter || self == UInt8(ascii: "_") || self == UInt8(ascii: "/") }
}

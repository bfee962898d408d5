import Foundation

/// What goes to people: one line on standard error for what went wrong, progress where somebody watches.
enum Terminal {
  /// A line on standard error: `fx: …`. Line breaks inside become spaces, so that it stays one line.
  static func error(_ message: String, prefixed: Bool = true) {
    let text = prefixed ? "fx: " + message.split(whereSeparator: \.isNewline).joined(separator: " ") : message
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  static let showsProgress = isatty(STDERR_FILENO) == 1
  static let usesColor = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// Replaces the progress line on a terminal; an empty text removes it.
  static func progress(_ text: String) {
    guard showsProgress else { return }
    FileHandle.standardError.write(Data(("\r\u{1B}[K" + text).utf8))
  }

  static func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// Prints at once, also into a pipe.
  static func line(_ text: String = "") {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}

extension String {
  /// Filled with spaces on the right to at least `width` characters.
  func left(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
  /// Filled with spaces on the left to at least `width` characters.
  func right(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}

extension Double {
  /// With `places` digits after the point.
  func fixed(_ places: Int) -> String { String(format: "%.\(places)f", self) }
}

extension Int {
  /// Bytes as people read them: `512 B`, `3.4 MB`.
  var byteText: String {
    var value = Double(self)
    for unit in ["B", "kB", "MB", "GB"] {
      if value < 1000 || unit == "GB" { return unit == "B" ? "\(self) B" : "\(value.fixed(1)) \(unit)" }
      value /= 1000
    }
    return "\(self) B"
  }
}

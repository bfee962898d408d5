/// Base 64 with the standard alphabet and padding: RFC 4648, section 4.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  /// The value of each character; 0xFF for those outside the alphabet.
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xFF, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  /// The number of characters that `count` bytes take.
  static func length(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  static func append(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + length(bytes.count))
    alphabet.withUnsafeBufferPointer { alphabet in
      var index = 0
      while index + 3 <= bytes.count {
        let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2])
        output.append(alphabet[Int(group >> 18)])
        output.append(alphabet[Int(group >> 12 & 63)])
        output.append(alphabet[Int(group >> 6 & 63)])
        output.append(alphabet[Int(group & 63)])
        index += 3
      }
      let rest = bytes.count - index
      guard rest > 0 else { return }
      let group = UInt32(bytes[index]) << 16 | (rest == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
      output.append(alphabet[Int(group >> 18)])
      output.append(alphabet[Int(group >> 12 & 63)])
      output.append(rest == 2 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
      output.append(UInt8(ascii: "="))
    }
  }

  package static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
    var output: [UInt8] = []
    append(bytes, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// The bytes that the characters stand for; `nil` if they are not exactly what `append` writes.
  package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    guard text.count > 0 else { return [] }
    let padding = text[text.count - 1] != UInt8(ascii: "=") ? 0 : text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1
    var output: [UInt8] = []
    output.reserveCapacity(text.count / 4 * 3)
    let isValid = values.withUnsafeBufferPointer { values in
      for start in stride(from: 0, to: text.count, by: 4) {
        let kept = start + 4 == text.count ? 4 - padding : 4
        var group: UInt32 = 0
        for offset in 0..<4 {
          let value = offset < kept ? values[Int(text[start + offset])] : 0
          if value == 0xFF { return false }
          group = group << 6 | UInt32(value)
        }
        output.append(UInt8(truncatingIfNeeded: group >> 16))
        if kept > 2 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
        if kept > 3 { output.append(UInt8(truncatingIfNeeded: group)) }
        // Bits that no byte has would make two texts of one tensor.
        if kept == 2, group & 0xFFFF != 0 { return false }
        if kept == 3, group & 0xFF != 0 { return false }
      }
      return true
    }
    return isValid ? output : nil
  }
}

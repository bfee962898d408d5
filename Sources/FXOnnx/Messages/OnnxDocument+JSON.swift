internal import COnnx
import FXCore

extension OnnxDocument {
  /// The model in protobuf's JSON form, which `google.protobuf.json_format` reads: 64-bit integers as strings, bytes in
  /// base64, fields in the order of their numbers.
  /// - Parameter includesWeights: whether `raw_data` of more than 64 bytes is written; without it the JSON is for reading.
  public func json(includesWeights: Bool = true) -> String {
    var writer = JSONWriter(includesWeights: includesWeights)
    withExtendedLifetime(self) { writer.write(UnsafeRawPointer(model), indent: 0) }
    return writer.text
  }
}

/// Writes any message by its descriptor.
private struct JSONWriter {
  let includesWeights: Bool
  var text = ""

  mutating func write(_ message: UnsafeRawPointer, indent: Int) {
    guard let descriptor = message.load(as: ProtobufCMessage.self).descriptor else { return }
    text += "{"
    var isFirst = true
    for field in UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields)) {
      let member = message + Int(field.offset)
      let quantifier = message + Int(field.quantifier_offset)
      let isBig =
        field.type == PROTOBUF_C_TYPE_BYTES && field.label == PROTOBUF_C_LABEL_OPTIONAL
        && member.load(as: ProtobufCBinaryData.self).len > 64
      guard isPresent(field, member, quantifier), includesWeights || !isBig else { continue }
      text += isFirst ? "\n" : ",\n"
      isFirst = false
      text += String(repeating: "  ", count: indent + 1) + "\"" + JSONWriter.camelCase(String(cString: field.name)) + "\": "
      if field.label == PROTOBUF_C_LABEL_REPEATED {
        writeList(field, member, count: quantifier.load(as: Int.self), indent: indent + 1)
      } else {
        writeValue(field, member, indent: indent + 1)
      }
    }
    if !isFirst { text += "\n" + String(repeating: "  ", count: indent) }
    text += "}"
  }

  private func isPresent(
    _ field: ProtobufCFieldDescriptor, _ member: UnsafeRawPointer, _ quantifier: UnsafeRawPointer
  ) -> Bool {
    if field.label == PROTOBUF_C_LABEL_REPEATED { return quantifier.load(as: Int.self) > 0 }
    if field.type == PROTOBUF_C_TYPE_STRING || field.type == PROTOBUF_C_TYPE_MESSAGE {
      return member.load(as: UnsafeRawPointer?.self) != nil
    }
    return quantifier.load(as: protobuf_c_boolean.self) != 0
  }

  private mutating func writeList(_ field: ProtobufCFieldDescriptor, _ member: UnsafeRawPointer, count: Int, indent: Int) {
    guard let base = member.load(as: UnsafeRawPointer?.self) else {
      text += "[]"
      return
    }
    let isMessage = field.type == PROTOBUF_C_TYPE_MESSAGE
    text += "["
    for index in 0..<count {
      if index > 0 { text += isMessage ? "," : ", " }
      if isMessage { text += "\n" + String(repeating: "  ", count: indent + 1) }
      writeValue(field, base + index * JSONWriter.size(field.type), indent: indent + 1)
    }
    if isMessage { text += "\n" + String(repeating: "  ", count: indent) }
    text += "]"
  }

  private mutating func writeValue(_ field: ProtobufCFieldDescriptor, _ member: UnsafeRawPointer, indent: Int) {
    switch field.type {
    case PROTOBUF_C_TYPE_INT64: text += "\"\(member.load(as: Int64.self))\""
    case PROTOBUF_C_TYPE_UINT64: text += "\"\(member.load(as: UInt64.self))\""
    case PROTOBUF_C_TYPE_FLOAT: writeNumber(Double(member.load(as: Float.self)), member.load(as: Float.self).description)
    case PROTOBUF_C_TYPE_DOUBLE: writeNumber(member.load(as: Double.self), member.load(as: Double.self).description)
    case PROTOBUF_C_TYPE_STRING: writeText(member.load(as: UnsafePointer<CChar>?.self).map { String(cString: $0) } ?? "")
    case PROTOBUF_C_TYPE_BYTES: writeBase64(member.load(as: ProtobufCBinaryData.self).bytes)
    case PROTOBUF_C_TYPE_MESSAGE:
      if let message = member.load(as: UnsafeRawPointer?.self) { write(message, indent: indent) } else { text += "{}" }
    default: text += "\(member.load(as: Int32.self))"
    }
  }

  private mutating func writeNumber(_ value: Double, _ digits: String) {
    text += value.isNaN ? "\"NaN\"" : value.isInfinite ? (value < 0 ? "\"-Infinity\"" : "\"Infinity\"") : digits
  }

  private mutating func writeText(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }

  private mutating func writeBase64(_ bytes: UnsafeRawBufferPointer) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
      let bits = group[0] << 16 | group[1] << 8 | group[2]
      for place in 0..<4 {
        out.append(start + place <= bytes.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
    text += "\"" + String(decoding: out, as: UTF8.self) + "\""
  }

  /// `op_type` as `opType`.
  private static func camelCase(_ name: String) -> String {
    let parts = name.split(separator: "_")
    return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
  }

  /// Bytes from one element of a repeated field to the next.
  private static func size(_ type: ProtobufCType) -> Int {
    switch type {
    case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_STRING,
      PROTOBUF_C_TYPE_MESSAGE:
      8
    case PROTOBUF_C_TYPE_BYTES: MemoryLayout<ProtobufCBinaryData>.stride
    default: 4
    }
  }
}

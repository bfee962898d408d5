extension DecodingError {
  /// Where in a file of JSON something else stands than was expected, such as `regions[0].nodes[3].op`, and what was expected.
  package var expectation: (place: String, what: String) {
    switch self {
    case .keyNotFound(let key, let context): (Self.path(context), "a field \"\(key.stringValue)\"")
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context): (Self.path(context), Self.name(of: type))
    case .dataCorrupted(let context): (Self.path(context), "well-formed JSON (\(context.debugDescription))")
    @unknown default: ("", "well-formed JSON")
    }
  }

  /// The expectation in words.
  package var reason: String {
    let (place, what) = expectation
    return (place.isEmpty ? "" : "\(place): ") + "expected \(what)"
  }

  /// What JSON calls what a Swift type is decoded from.
  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is any BinaryInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    default: "\(type)".hasPrefix("Array") || "\(type)" == "Array<Any>" ? "a list" : "an object"
    }
  }

  private static func path(_ context: Context) -> String {
    context.codingPath.reduce(into: "") { text, key in
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += (text.isEmpty ? "" : ".") + key.stringValue
      }
    }
  }
}

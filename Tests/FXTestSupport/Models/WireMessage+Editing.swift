extension WireMessage {
  /// How many messages of the kind there are in this one, itself included; of any kind for `nil`.
  public func count(_ wanted: MessageKind?) -> Int {
    var total = wanted == nil || kind == wanted ? 1 : 0
    for field in fields { if case .message(let inner) = field.content { total += inner.count(wanted) } }
    return total
  }

  /// Edits message `index` of the kind, counted from the outside in.
  public mutating func edit(_ wanted: MessageKind?, _ index: Int, _ body: (inout WireMessage) -> Void) {
    var left = index
    _ = find(wanted, &left, body)
  }

  private mutating func find(_ wanted: MessageKind?, _ left: inout Int, _ body: (inout WireMessage) -> Void) -> Bool {
    if wanted == nil || kind == wanted {
      if left == 0 {
        body(&self)
        return true
      }
      left -= 1
    }
    for position in fields.indices {
      guard case .message(var inner) = fields[position].content else { continue }
      // The tree must not hold the message twice, or every edit would copy it.
      fields[position].content = .varint(0)
      let isFound = inner.find(wanted, &left, body)
      fields[position].content = .message(inner)
      if isFound { return true }
    }
    return false
  }

  /// All messages of the kind, from the outside in.
  public func all(_ wanted: MessageKind) -> [WireMessage] {
    var found = kind == wanted ? [self] : []
    for field in fields { if case .message(let inner) = field.content { found += inner.all(wanted) } }
    return found
  }

  /// Bytes on the wire, nearly.
  public var size: Int {
    fields.reduce(0) { sum, field in
      switch field.content {
      case .varint: sum + 3
      case .fixed32: sum + 5
      case .fixed64: sum + 9
      case .bytes(let bytes): sum + 3 + bytes.count
      case .packed(let values): sum + 3 + 2 * values.count
      case .message(let inner): sum + 3 + inner.size
      }
    }
  }

  // MARK: Fields

  public func texts(_ number: Int) -> [String] {
    fields.compactMap { field in
      guard field.number == number, case .bytes(let bytes) = field.content else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  public func text(_ number: Int) -> String { texts(number).last ?? "" }

  public func integer(_ number: Int) -> Int64? {
    for field in fields.reversed() where field.number == number {
      if case .varint(let value) = field.content { return Int64(bitPattern: value) }
    }
    return nil
  }

  public func messages(_ number: Int) -> [WireMessage] {
    fields.compactMap { field in
      guard field.number == number, case .message(let inner) = field.content else { return nil }
      return inner
    }
  }

  public func positions(_ number: Int) -> [Int] { fields.indices.filter { fields[$0].number == number } }

  /// Sets the field in the place of the first of its number, and removes the others.
  public mutating func set(_ number: Int, _ content: WireContent) {
    let position = fields.firstIndex { $0.number == number } ?? fields.count
    fields.removeAll { $0.number == number }
    fields.insert(WireField(number, content), at: min(position, fields.count))
  }

  public mutating func remove(_ number: Int) { fields.removeAll { $0.number == number } }

  public mutating func append(_ number: Int, _ content: WireContent) { fields.append(WireField(number, content)) }

  public func appending(_ number: Int, _ content: WireContent) -> WireMessage {
    var copy = self
    copy.append(number, content)
    return copy
  }
}

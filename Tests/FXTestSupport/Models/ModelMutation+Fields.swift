extension ModelMutation {
  /// Steps that need no more than the kinds of fields.
  static let fieldSteps: [Step] = [
    Step("field deleted", 3) { mutation in
      mutation.edit(nil) { message, random in
        if !message.fields.isEmpty { message.fields.remove(at: random.below(message.fields.count)) }
      }
    },
    Step("field doubled", 4) { mutation in
      mutation.edit(nil) { message, random in
        guard !message.fields.isEmpty else { return }
        let field = random.pick(message.fields)
        let copies = random.oneIn(20) ? 300 : 1
        for _ in 0..<copies { message.fields.insert(field, at: random.below(message.fields.count + 1)) }
      }
    },
    Step("fields swapped", 2) { mutation in
      mutation.edit(nil) { message, random in
        guard message.fields.count > 1 else { return }
        message.fields.swapAt(random.below(message.fields.count), random.below(message.fields.count))
      }
    },
    Step("contents swapped", 1) { mutation in
      mutation.edit(nil) { message, random in
        guard message.fields.count > 1 else { return }
        let (a, b) = (random.below(message.fields.count), random.below(message.fields.count))
        let content = message.fields[a].content
        message.fields[a].content = message.fields[b].content
        message.fields[b].content = content
      }
    },
    Step("fields reversed", 1) { mutation in mutation.edit(nil) { message, _ in message.fields.reverse() } },
    Step("field renumbered", 1) { mutation in
      mutation.edit(nil) { message, random in
        guard !message.fields.isEmpty else { return }
        let numbers = message.kind.fields.keys.sorted() + [0, 77, 100_001, 100_002, 1 << 28]
        message.fields[random.below(message.fields.count)].number = random.pick(numbers)
      }
    },
    Step("field moved to a message like its own", 2) { mutation in
      guard let kind = mutation.find(anyOf: [.node, .attribute, .tensor, .type, .valueInfo, .graph, .dimension]),
        let source = mutation.find(kind), !source.fields.isEmpty
      else { return false }
      let field = mutation.random.pick(source.fields)
      return mutation.edit(kind) { message, random in
        if random.oneIn(2) { message.remove(field.number) }
        message.fields.insert(field, at: random.below(message.fields.count + 1))
      }
    },
    Step("integer at a boundary", 6) { mutation in
      mutation.editField({ if case .varint = $0 { true } else { false } }) { $0 = .integer($1.integer()) }
    },
    Step("text replaced", 3) { mutation in
      mutation.editField({ if case .bytes = $0 { true } else { false } }) { $0 = .bytes($1.text()) }
    },
    Step("bytes damaged", 2) { mutation in
      mutation.editField({ if case .bytes(let bytes) = $0 { !bytes.isEmpty } else { false } }) { content, random in
        guard case .bytes(var bytes) = content else { return }
        switch random.below(3) {
        case 0: bytes.removeLast(min(bytes.count, 1 + random.below(9)))
        case 1: bytes += random.bytes(1 + random.below(9))
        default: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
        }
        content = .bytes(bytes)
      }
    },
    Step("wire type changed", 1) { mutation in
      mutation.editField({ _ in true }) { content, random in
        content = random.pick([.varint(1), .fixed32(1), .fixed64(1), .bytes([8, 1]), .bytes([])])
      }
    },
  ]

  private mutating func find(anyOf kinds: [MessageKind]) -> MessageKind? {
    let present = kinds.filter { model.count($0) > 0 }
    return present.isEmpty ? nil : random.pick(present)
  }

  /// Edits one field whose content is such as is wanted. Messages are tried at random, so that it may not find one.
  private mutating func editField(
    _ isWanted: (WireContent) -> Bool, _ body: (inout WireContent, inout RandomSource) -> Void
  ) -> Bool {
    for _ in 0..<8 {
      var isDone = false
      _ = edit(nil) { message, random in
        let positions = message.fields.indices.filter { isWanted(message.fields[$0].content) }
        guard !positions.isEmpty else { return }
        body(&message.fields[random.pick(positions)].content, &random)
        isDone = true
      }
      if isDone { return true }
    }
    return false
  }
}

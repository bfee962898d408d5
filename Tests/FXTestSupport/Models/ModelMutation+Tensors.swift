extension ModelMutation {
  static let tensorSteps: [Step] = [
    Step("tensor's sizes changed", 6) { mutation in
      mutation.edit(.tensor) { tensor, random in
        let positions = tensor.positions(1)
        switch random.below(positions.isEmpty ? 1 : 4) {
        case 0: tensor.append(1, .integer(random.integer()))
        case 1: tensor.fields.remove(at: random.pick(positions))
        case 2: for _ in 0..<random.pick([2, 10, 70]) { tensor.append(1, .integer(random.pick([0, 1, 1, 2]))) }
        default: tensor.fields[random.pick(positions)].content = .integer(random.integer())
        }
      }
    },
    Step("tensor's element type changed", 4) { mutation in
      mutation.edit(.tensor) { tensor, random in
        tensor.set(2, .integer(random.oneIn(6) ? random.integer() : Int64(random.below(30))))
      }
    },
    Step("tensor's data longer or shorter", 4) { mutation in
      mutation.edit(.tensor) { tensor, random in
        guard let position = tensor.fields.firstIndex(where: { [4, 5, 7, 9, 10, 11].contains($0.number) }) else { return }
        switch tensor.fields[position].content {
        case .bytes(var bytes):
          if random.oneIn(2) {
            bytes += random.bytes(1 + random.below(100))
          } else {
            bytes.removeLast(random.below(bytes.count + 1))
          }
          tensor.fields[position].content = .bytes(bytes)
        case .packed(var values):
          if random.oneIn(2) { values.append(random.next()) } else { values.removeLast(random.below(values.count + 1)) }
          tensor.fields[position].content = .packed(values)
        default: break
        }
      }
    },
    // Shapes, axes, trip counts and repetitions are elements of such tensors.
    Step("element of an integer tensor at a boundary", 12) { mutation in mutation.setElement() },
    Step("integer tensor of another size", 4) { mutation in
      mutation.edit(.tensor) { tensor, random in
        guard tensor.integer(2) == 7 else { return }
        let count = random.below(9)
        for number in [1, 7, 9] { tensor.remove(number) }
        if !random.oneIn(4) { tensor.append(1, .integer(Int64(count))) }
        tensor.append(7, .packed((0..<max(1, count)).map { _ in UInt64(bitPattern: random.integer()) }))
      }
    },
    Step("tensor's data in another field", 2) { mutation in
      mutation.edit(.tensor) { tensor, random in
        guard let position = tensor.fields.firstIndex(where: { [4, 5, 7, 9, 10, 11].contains($0.number) }) else { return }
        tensor.fields[position].number = random.pick([4, 5, 6, 7, 9, 10, 11])
      }
    },
    Step("tensor's data in another file", 3) { mutation in
      mutation.edit(.tensor) { tensor, random in
        tensor.set(14, .integer(random.oneIn(8) ? random.integer() : 1))
        if random.oneIn(2) { tensor.remove(9) }
        let location = random.pick([
          "", "weights.bin", "/dev/zero", "/proc/self/mem", "../../../etc/passwd", ".", "a/../b", "\u{0}",
        ])
        tensor.append(13, .message(ModelMutation.entry("location", location)))
        for key in ["offset", "length"] where random.oneIn(2) {
          let value = random.oneIn(4) ? String(decoding: random.text(), as: UTF8.self) : "\(random.integer())"
          tensor.append(13, .message(ModelMutation.entry(key, value)))
        }
      }
    },
    Step("tensor's strings damaged", 1) { mutation in
      mutation.edit(.tensor) { tensor, random in
        tensor.set(2, .integer(8))
        tensor.append(6, .bytes(random.text()))
      }
    },
    Step("tensor made sparse", 2) { mutation in
      guard let values = mutation.find(.tensor), let indices = mutation.find(.tensor) else { return false }
      return mutation.edit(.graph) { graph, random in
        var sparse = WireMessage(.sparseTensor).appending(1, .message(values)).appending(2, .message(indices))
        for _ in 0..<random.below(4) { sparse.append(3, .integer(random.integer())) }
        graph.append(15, .message(sparse))
      }
    },
    Step("sparse tensor's sizes changed", 2) { mutation in
      mutation.edit(.sparseTensor) { sparse, random in
        let positions = sparse.positions(3)
        if positions.isEmpty || random.oneIn(3) {
          sparse.append(3, .integer(random.integer()))
        } else {
          sparse.fields[random.pick(positions)].content = .integer(random.integer())
        }
      }
    },
    Step("tensor in segments", 1) { mutation in
      mutation.edit(.tensor) { tensor, random in
        tensor.append(3, .message(WireMessage(.segment).appending(1, .integer(random.integer()))))
      }
    },
  ]

  static func entry(_ key: String, _ value: String) -> WireMessage {
    WireMessage(.entry).appending(1, .text(key)).appending(2, .text(value))
  }

  private mutating func setElement() -> Bool {
    for _ in 0..<8 {
      var isDone = false
      _ = edit(.tensor) { tensor, random in
        guard let type = tensor.integer(2), [6, 7, 12, 13].contains(type) else { return }
        let width = type == 6 || type == 12 ? 4 : 8
        for position in tensor.fields.indices {
          switch tensor.fields[position].content {
          case .packed(var values) where !values.isEmpty:
            values[random.below(values.count)] = UInt64(bitPattern: random.integer())
            tensor.fields[position].content = .packed(values)
            isDone = true
          case .bytes(var bytes) where tensor.fields[position].number == 9 && bytes.count >= width:
            let value = random.integer()
            let start = random.below(bytes.count / width) * width
            for byte in 0..<width { bytes[start + byte] = UInt8(truncatingIfNeeded: value >> Int64(8 * byte)) }
            tensor.fields[position].content = .bytes(bytes)
            isDone = true
          default: break
          }
        }
      }
      if isDone { return true }
    }
    return false
  }

  static let typeSteps: [Step] = [
    Step("size in a type changed", 8) { mutation in
      mutation.edit(.dimension) { dimension, random in
        dimension.fields = []
        switch random.below(6) {
        case 0: break
        case 1: dimension.append(2, .text(random.pick(["N", "batch", "u0", "a+b", "a*a", "2*N", "-1"])))
        case 2: dimension.append(2, .bytes(random.text()))
        default: dimension.append(1, .integer(random.integer()))
        }
      }
    },
    Step("rank of a type changed", 4) { mutation in
      mutation.edit(.shape) { shape, random in
        let positions = shape.positions(1)
        if random.oneIn(2), !positions.isEmpty { return _ = shape.fields.remove(at: random.pick(positions)) }
        let count = random.oneIn(20) ? 200 : 1
        for _ in 0..<count {
          shape.append(1, .message(WireMessage(.dimension).appending(1, .integer(random.pick([0, 1, 1, 2, 1 << 20, .max])))))
        }
      }
    },
    Step("element type of a type changed", 4) { mutation in
      mutation.edit(.tensorType) { type, random in
        type.set(1, .integer(random.oneIn(6) ? random.integer() : Int64(random.below(30))))
      }
    },
    Step("shape of a type left out", 3) { mutation in mutation.edit(.tensorType) { type, _ in type.remove(2) } },
    Step("type of another model", 3) { mutation in
      guard !mutation.vocabulary.types.isEmpty else { return false }
      let type = mutation.random.pick(mutation.vocabulary.types)
      return mutation.edit(.valueInfo) { info, _ in info.set(2, .message(type)) }
    },
    Step("type wrapped", 2) { mutation in
      mutation.edit(.valueInfo) { info, random in
        var type = info.messages(2).first ?? WireMessage(.type)
        for _ in 0..<random.pick([1, 1, 2, 20, 60]) {
          switch random.below(3) {
          case 0: type = WireMessage(.type).appending(4, .message(WireMessage(.sequenceType).appending(1, .message(type))))
          case 1: type = WireMessage(.type).appending(9, .message(WireMessage(.sequenceType).appending(1, .message(type))))
          default:
            let map = WireMessage(.mapType).appending(1, .integer(7)).appending(2, .message(type))
            type = WireMessage(.type).appending(5, .message(map))
          }
        }
        info.set(2, .message(type))
      }
    },
    Step("type left out", 3) { mutation in mutation.edit(.valueInfo) { info, _ in info.remove(2) } },
    Step("types of values added", 3) { mutation in
      guard !mutation.vocabulary.types.isEmpty else { return false }
      let type = mutation.random.pick(mutation.vocabulary.types)
      let name = mutation.random.pick(mutation.valueNames())
      let info = WireMessage(.valueInfo).appending(1, .text(name)).appending(2, .message(type))
      return mutation.edit(.graph) { graph, _ in graph.append(13, .message(info)) }
    },
  ]
}

import COnnx
import Testing

/// Opens the bytes, hands the root to `body`, and closes the document. Nil where opening failed.
private func open<Result>(
  _ kind: fxonnx_kind, _ bytes: [UInt8], limits: fxonnx_limits = fxonnx_limits(), error: inout fxonnx_error,
  _ body: (UnsafeMutableRawPointer, UnsafeBufferPointer<UInt8>) -> Result
) -> Result? {
  var limits = limits
  return bytes.withUnsafeBufferPointer { buffer in
    guard let document = fxonnx_open(kind, buffer.baseAddress, buffer.count, &limits, &error) else { return nil }
    defer { fxonnx_close(document) }
    return fxonnx_root(document).map { body($0, buffer) }
  }
}

private func pack(_ message: UnsafeRawPointer) -> (bytes: [UInt8], status: fxonnx_status) {
  var bytes: [UInt8] = []
  let status = withUnsafeMutablePointer(to: &bytes) { target in
    fxonnx_pack(
      message,
      { context, piece, count in
        guard let context else { return 1 }
        let target = context.assumingMemoryBound(to: [UInt8].self)
        target.pointee.append(contentsOf: UnsafeBufferPointer(start: piece, count: count))
        return 0
      }, target, nil)
  }
  return (bytes, status)
}

@Suite struct COnnxTests {
  let weights = [UInt8](0..<200)
  var tensor: Wire { Wire().int(1, 200).int(2, 2).text(8, "w").data(9, weights) }
  var model: Wire { Wire().int(1, 10).message(7, Wire().text(2, "g").message(5, tensor).text(10, "é")).int(77, 5) }

  @Test func bigRawDataStaysInTheInputAndPacksUnchanged() throws {
    var error = fxonnx_error()
    let found = open(FXONNX_MODEL, model.bytes, error: &error) { root, input in
      let graph = root.assumingMemoryBound(to: Fxonnx__ModelProto.self).pointee.graph.pointee
      let raw = graph.initializer[0]!.pointee.raw_data
      let base = UnsafeRawPointer(input.baseAddress!)
      let inside = UnsafeRawPointer(raw.data!) >= base && UnsafeRawPointer(raw.data! + raw.len) <= base + input.count
      return (inside, Array(UnsafeBufferPointer(start: raw.data, count: raw.len)), pack(root).bytes)
    }
    let (inside, data, packed) = try #require(found)
    #expect(inside)
    #expect(data == weights)
    #expect(packed == model.bytes)
  }

  @Test func privateFieldsOfTheInputAreIgnored() throws {
    var error = fxonnx_error()
    var hostile = Wire().int(2, 2)
    hostile.varint(100001 << 3 | 5)
    hostile.bytes += [0, 0, 0, 0x70]
    hostile.varint(100002 << 3 | 5)
    hostile.bytes += [0xff, 0xff, 0xff, 0x7f]
    let packed = open(FXONNX_TENSOR, hostile.bytes, error: &error) { root, _ in pack(root).bytes }
    #expect(packed == Wire().int(2, 2).bytes)
  }

  @Test(arguments: [[200, 100], [100, 3], [3, 100], [3, 4]])
  func lastOfSeveralRawDataCounts(sizes: [Int]) throws {
    var error = fxonnx_error()
    let payloads = sizes.enumerated().map { [UInt8](repeating: UInt8($0.offset + 1), count: $0.element) }
    let bytes = Wire().message(1, Wire().data(9, payloads[0]).data(9, payloads[1])).int(3, 1).bytes
    let raw = open(FXONNX_SPARSE_TENSOR, bytes, error: &error) { root, _ in
      let sparse = root.assumingMemoryBound(to: Fxonnx__SparseTensorProto.self).pointee
      let raw = sparse.values.pointee.raw_data
      return (Array(UnsafeBufferPointer(start: raw.data, count: raw.len)), sparse.n_dims)
    }
    #expect(raw?.0 == payloads[1])
    #expect(raw?.1 == 1)
  }

  @Test func errorsNameTheFieldAndThePlace() {
    struct Case {
      let status: fxonnx_status
      let bytes: [UInt8]
      let message: String
      let field: String?
    }
    let nested = (0..<40).reduce(Wire()) { inner, _ in
      Wire().message(1, Wire().message(5, Wire().message(6, inner)))
    }
    let cases = [
      Case(status: FXONNX_TRUNCATED, bytes: Array(model.bytes.dropLast(60)), message: "ModelProto", field: "graph"),
      Case(status: FXONNX_MALFORMED, bytes: Wire().data(7, [0x0a, 0x7f, 0]).bytes, message: "GraphProto", field: "node"),
      Case(status: FXONNX_MALFORMED, bytes: Wire().int(7, 1).bytes, message: "ModelProto", field: "graph"),
      Case(status: FXONNX_MALFORMED, bytes: [0x00, 0x00], message: "ModelProto", field: nil),
      Case(status: FXONNX_MALFORMED, bytes: [0x0b, 0x0c], message: "ModelProto", field: "ir_version"),
      Case(status: FXONNX_BAD_STRING, bytes: Wire().data(4, [0x61, 0, 0x62]).bytes, message: "ModelProto", field: "domain"),
      Case(status: FXONNX_BAD_STRING, bytes: Wire().data(4, [0xed, 0xa0, 0x80]).bytes, message: "ModelProto", field: "domain"),
      Case(
        status: FXONNX_DUPLICATE_FIELD, bytes: Wire().message(7, Wire()).message(7, Wire()).bytes, message: "ModelProto",
        field: "graph"),
      Case(status: FXONNX_TOO_DEEP, bytes: Wire().message(7, nested).bytes, message: "AttributeProto", field: "g"),
    ]
    for example in cases {
      var error = fxonnx_error()
      #expect(open(FXONNX_MODEL, example.bytes, error: &error) { _, _ in true } == nil)
      #expect(error.status == example.status)
      #expect(error.message.map { String(cString: $0) } == example.message)
      #expect(error.field.map { String(cString: $0) } == example.field)
    }
  }

  @Test func budgetIsKept() {
    var error = fxonnx_error()
    let empties = (0..<10_000).reduce(into: Wire()) { wire, _ in wire = Wire(bytes: wire.bytes + [0x0a, 0x00]) }
    let tight = fxonnx_limits(depth: 0, budget: 1 << 20, detach_threshold: 0)
    #expect(open(FXONNX_GRAPH, empties.bytes, limits: tight, error: &error) { _, _ in true } == nil)
    #expect(error.status == FXONNX_OVER_BUDGET)
    #expect(error.limit == 1 << 20)
    #expect(open(FXONNX_GRAPH, empties.bytes, error: &error) { _, _ in true } == true)
  }

  /// Every prefix and every flipped bit of a small model gives an outcome.
  @Test func damagedInputNeverTraps() {
    var opened = 0
    for count in 0..<model.bytes.count {
      var error = fxonnx_error()
      let result = open(FXONNX_MODEL, Array(model.bytes.prefix(count)), error: &error) { root, _ in pack(root).status }
      if result == nil { #expect(error.status == FXONNX_TRUNCATED) } else { opened += 1 }
    }
    #expect(opened > 0)
    for bit in 0..<(model.bytes.count * 8) {
      var error = fxonnx_error()
      var damaged = model.bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let result = open(FXONNX_MODEL, damaged, error: &error) { root, _ in pack(root).status }
      #expect((result == nil) == (error.status != FXONNX_OK))
    }
  }

  @Test func builtMessagesPackAndRefuseToNestTooDeep() throws {
    let arena = try #require(fxonnx_arena_create(1 << 20))
    defer { fxonnx_arena_destroy(arena) }
    func type() throws -> UnsafeMutablePointer<Fxonnx__TypeProto> {
      let memory = try #require(fxonnx_arena_allocate(arena, MemoryLayout<Fxonnx__TypeProto>.size))
      let type = memory.assumingMemoryBound(to: Fxonnx__TypeProto.self)
      fxonnx__type_proto__init(type)
      return type
    }
    let root = try type()
    #expect(pack(root).bytes.isEmpty)
    var innermost = root
    for _ in 0..<60 {
      let memory = try #require(fxonnx_arena_allocate(arena, MemoryLayout<Fxonnx__TypeProto__Sequence>.size))
      let sequence = memory.assumingMemoryBound(to: Fxonnx__TypeProto__Sequence.self)
      fxonnx__type_proto__sequence__init(sequence)
      sequence.pointee.elem_type = try type()
      innermost.pointee.sequence_type = sequence
      innermost = sequence.pointee.elem_type
    }
    #expect(pack(root).status == FXONNX_TOO_DEEP)
  }
}

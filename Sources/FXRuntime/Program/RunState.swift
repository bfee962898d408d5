import FXCore

/// The memory of one run at a time: arena, addresses, and values made on the way. Plans keep finished ones for later runs.
///
/// `@unchecked Sendable`: a run takes a state out of its plan's pool and puts it back, so one thread uses it at a time.
final class RunState: @unchecked Sendable {
  let arena: UnsafeMutableRawPointer
  /// The address of each slot's bytes.
  let table: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  /// The values of slots that are made during the run.
  let boxes: UnsafeMutableBufferPointer<RuntimeValue?>
  /// The bytes of each box, as far as a limited run has counted them.
  let boxedBytes: UnsafeMutableBufferPointer<Int>
  var outputs: [Tensor] = []

  init(_ plan: Plan) {
    arena = UnsafeMutableRawPointer.allocate(byteCount: max(plan.arenaBytes, 1), alignment: ArenaPlanner.alignment)
    table = .allocate(capacity: max(plan.slots.count, 1))
    table.initialize(repeating: nil, count: max(plan.slots.count, 1))
    boxes = .allocate(capacity: plan.slots.count)
    boxes.initialize(repeating: nil)
    boxedBytes = .allocate(capacity: plan.slots.count)
    boxedBytes.initialize(repeating: 0)
    for (index, slot) in plan.slots.enumerated() {
      switch slot.home {
      case .arena(let offset): table[index] = arena + offset
      // The plan keeps the tensor, and with it the bytes.
      case .constant(let tensor): table[index] = tensor.unsafeBytes
      case .input, .output, .boxed: break
      }
    }
  }

  deinit {
    arena.deallocate()
    table.deallocate()
    boxes.deinitialize()
    boxes.deallocate()
    boxedBytes.deallocate()
  }
}

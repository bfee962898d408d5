internal import CKernels
import FXCore

extension KernelTable {
  mutating func addRecurrent() {
    self[.lstm] = { request in
      guard !request[LSTM.inputForget] else { return nil }
      return request.recurrent(.lstm, defaults: ["Sigmoid", "Tanh", "Tanh"])
    }
    self[.gru] = { request in
      guard request[GRU.linearBeforeReset] else { return nil }
      return request.recurrent(.gru, defaults: ["Sigmoid", "Tanh"])
    }
  }
}

extension KernelRequest {
  /// Layers with constant weights, the usual activations, and sequences of one length, time first.
  fileprivate func recurrent(_ cell: RecurrentKernel.Cell, defaults: [String]) -> KernelChoice? {
    guard operands.enumerated().allSatisfy({ $0.offset == 4 || $0.element == nil || $0.element?.elementType == .float32 }),
      results.allSatisfy({ $0.elementType == .float32 }), !has(4), self[Recurrent.clip] == nil, self[Recurrent.layout] == 0,
      shape(0).count == 3, shape(0).allSatisfy({ $0 > 0 }), shape(1).count == 3, shape(2).count == 3,
      let w = operands[1]?.constant, let r = operands[2]?.constant
    else { return nil }
    let directions = shape(1)[0]
    if let names = self[Recurrent.activations], names != (0..<directions).flatMap({ _ in defaults }) { return nil }
    let sizes = RecurrentKernel.Sizes(
      time: shape(0)[0], batch: shape(0)[1], input: shape(0)[2], hidden: shape(2)[2], gates: cell == .lstm ? 4 : 3,
      directions: directions)
    guard shape(1) == [directions, sizes.columns, sizes.input], shape(2) == [directions, sizes.columns, sizes.hidden],
      directions == (self[Recurrent.direction] == "bidirectional" ? 2 : 1)
    else { return nil }
    let kernel = RecurrentKernel(
      cell: cell, sizes: sizes, isReversed: self[Recurrent.direction] == "reverse",
      inputWeights: pack(w, sizes, depth: sizes.input), recurrentWeights: pack(r, sizes, depth: sizes.hidden),
      bias: has(3) ? 3 : nil, initialHidden: has(5) ? 5 : nil, initialCell: has(6) ? 6 : nil, peephole: has(7) ? 7 : nil,
      threads: threads)
    return .kernel(kernel, scratch: kernel.scratchBytes, unread: [1, 2])
  }

  /// The transposes of each direction's weights [columns, depth], packed one after another.
  private func pack(_ tensor: Tensor, _ sizes: RecurrentKernel.Sizes, depth: Int) -> PackedWeights {
    let (n, stride) = (sizes.columns, fxk_gemm_packed_b_size(depth, sizes.columns))
    let bytes = sizes.directions * stride * MemoryLayout<Float>.stride
    return weights.packed(tensor, layout: "recurrent \(n)×\(depth)", byteCount: bytes, isLoose: true) { source, target in
      guard let floats = source.baseAddress?.assumingMemoryBound(to: Float.self) else { return }
      for direction in 0..<sizes.directions {
        fxk_gemm_pack_b(
          floats + direction * n * depth, 1, depth, depth, n,
          target.assumingMemoryBound(to: Float.self) + direction * stride, 0, fxk_gemm_packed_b_panels(depth, n))
      }
    }
  }
}

/// LSTM and GRU over whole sequences: the input's share of all steps as one product, then step by step the state's.
///
/// `@unchecked Sendable` for the pointers of the prototypes, which point to packed weights.
private struct RecurrentKernel: Kernel, @unchecked Sendable {
  enum Cell { case lstm, gru }

  struct Sizes {
    let time: Int
    let batch: Int
    let input: Int
    let hidden: Int
    let gates: Int
    let directions: Int
    var columns: Int { gates * hidden }
    /// Elements of one state of one direction.
    var state: Int { batch * hidden }
  }

  private let cell: Cell
  private let sizes: Sizes
  private let isReversed: Bool
  private let inputWeights: PackedWeights
  private let recurrentWeights: PackedWeights
  private let bias: Int?
  private let initialHidden: Int?
  private let initialCell: Int?
  private let peephole: Int?
  private let inputProduct: fxk_gemm
  private let inputDivision: WorkDivision
  private let stepProduct: fxk_gemm
  private let stepDivision: WorkDivision
  private let threads: Int
  /// Floats that a thread needs for either product.
  private let threadFloats: Int

  init(
    cell: Cell, sizes: Sizes, isReversed: Bool, inputWeights: PackedWeights, recurrentWeights: PackedWeights, bias: Int?,
    initialHidden: Int?, initialCell: Int?, peephole: Int?, threads: Int
  ) {
    self.cell = cell
    self.sizes = sizes
    self.isReversed = isReversed
    self.inputWeights = inputWeights
    self.recurrentWeights = recurrentWeights
    self.bias = bias
    self.initialHidden = initialHidden
    self.initialCell = initialCell
    self.peephole = peephole
    self.threads = threads
    func plan(rows: Int, depth: Int, _ weights: PackedWeights) -> (fxk_gemm, WorkDivision) {
      var gemm = fxk_gemm()
      (gemm.m, gemm.n, gemm.k) = (rows, sizes.columns, depth)
      (gemm.a_row, gemm.a_column, gemm.c_row) = (depth, 1, sizes.columns)
      gemm.packed_b = weights.floats()
      gemm.epilogue = fxk_epilogue_none()
      let tasks = fxk_gemm_plan(&gemm, threads)
      let (m, n, k) = (Double(rows), Double(sizes.columns), Double(depth))
      let cost = max(2 * m * n * k / 60, 0.1 * (m * k + k * n + m * n))
      return (gemm, WorkDivision(tasks, nanosecondsEach: cost / Double(max(tasks, 1)), threads: threads))
    }
    let (ofInput, inputDivision) = plan(rows: sizes.time * sizes.batch, depth: sizes.input, inputWeights)
    let (ofStep, stepDivision) = plan(rows: sizes.batch, depth: sizes.hidden, recurrentWeights)
    var (input, step) = (ofInput, ofStep)
    let needed = max(fxk_gemm_scratch(&input), fxk_gemm_scratch(&step))
    (inputProduct, self.inputDivision, stepProduct, self.stepDivision) = (input, inputDivision, step, stepDivision)
    threadFloats = (needed + 15) / 16 * 16
  }

  /// Memory of one direction, in floats: the input's share, one step's gates, two hidden states, the cell, the biases.
  private var directionFloats: Int {
    let floats = (sizes.time + 1) * sizes.batch * sizes.columns + 3 * sizes.state + 2 * sizes.columns + threads * threadFloats
    return (floats + 15) / 16 * 16
  }

  var scratchBytes: Int { sizes.directions * directionFloats * MemoryLayout<Float>.stride }

  func run(_ arguments: borrowing KernelArguments) {
    let pointers = Pointers(
      x: arguments.operand(0), bias: bias.map { arguments.operand($0) }, hidden: initialHidden.map { arguments.operand($0) },
      cell: initialCell.map { arguments.operand($0) }, peephole: peephole.map { arguments.operand($0) },
      y: arguments.wants(0) ? arguments.result(0) : nil, lastHidden: arguments.wants(1) ? arguments.result(1) : nil,
      lastCell: arguments.wants(2) ? arguments.result(2) : nil)
    let memory = arguments.scratch.assumingMemoryBound(to: Float.self)
    let pool = arguments.pool
    // Two directions are independent; a product inside one of them then runs on that direction's thread alone.
    pool.parallelFor(count: sizes.directions, chunk: 1) { directions, _ in
      for direction in directions { run(direction, pointers, memory + direction * directionFloats, pool) }
    }
  }

  private struct Pointers {
    let x: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let hidden: UnsafePointer<Float>?
    let cell: UnsafePointer<Float>?
    let peephole: UnsafePointer<Float>?
    let y: UnsafeMutablePointer<Float>?
    let lastHidden: UnsafeMutablePointer<Float>?
    let lastCell: UnsafeMutablePointer<Float>?
  }

  private func run(_ direction: Int, _ p: Pointers, _ memory: UnsafeMutablePointer<Float>, _ pool: ThreadPool) {
    let (n, state) = (sizes.columns, sizes.state)
    let shares = memory
    let gates = shares + sizes.time * sizes.batch * n
    let cellState = gates + sizes.batch * n
    let hiddenStates = cellState + state
    let biases = hiddenStates + 2 * state
    let scratch = biases + 2 * n

    // An LSTM adds both biases to the input's share; a GRU multiplies the second with the reset gate.
    for column in 0..<n {
      let own = p.bias.map { $0 + direction * 2 * n }
      biases[column] = (own?[column] ?? 0) + (cell == .lstm ? own?[n + column] ?? 0 : 0)
      biases[n + column] = own?[n + column] ?? 0
    }
    var product = inputProduct
    product.packed_b = inputWeights.floats() + direction * fxk_gemm_packed_b_size(sizes.input, n)
    product.a = p.x
    product.c = shares
    product.epilogue.bias_column = UnsafePointer(biases)
    multiply(product, inputDivision, scratch, pool)

    var step = stepProduct
    step.packed_b = recurrentWeights.floats() + direction * fxk_gemm_packed_b_size(sizes.hidden, n)
    step.c = gates
    step.epilogue.residual_row = n
    if cell == .gru { step.epilogue.bias_column = UnsafePointer(biases + n) }
    if let initial = p.cell {
      cellState.update(from: initial + direction * state, count: state)
    } else {
      cellState.update(repeating: 0, count: state)
    }
    if let initial = p.hidden {
      hiddenStates.update(from: initial + direction * state, count: state)
    } else {
      hiddenStates.update(repeating: 0, count: state)
    }
    let peephole = p.peephole.map { $0 + direction * 3 * sizes.hidden }
    var hidden = hiddenStates
    let goesBack = isReversed || direction == 1
    for index in 0..<sizes.time {
      let time = goesBack ? sizes.time - 1 - index : index
      let share = shares + time * sizes.batch * n
      // Each state is written where y wants it, or beside the one it is made from.
      let next =
        p.y.map { $0 + (time * sizes.directions + direction) * state }
        ?? (hidden == hiddenStates ? hiddenStates + state : hiddenStates)
      step.a = UnsafePointer(hidden)
      if cell == .lstm { step.epilogue.residual = UnsafePointer(share) }
      multiply(step, stepDivision, scratch, pool)
      switch cell {
      case .lstm: fxk_lstm_step_f32(gates, cellState, peephole, cellState, next, sizes.batch, sizes.hidden)
      case .gru: fxk_gru_step_f32(share, gates, hidden, next, sizes.batch, sizes.hidden)
      }
      hidden = next
    }
    if let last = p.lastHidden { (last + direction * state).update(from: hidden, count: state) }
    if let last = p.lastCell { (last + direction * state).update(from: cellState, count: state) }
  }

  private func multiply(
    _ product: fxk_gemm, _ division: WorkDivision, _ scratch: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    division.run(on: pool) { range, worker in
      withUnsafePointer(to: product) {
        fxk_gemm_run($0, range.lowerBound, range.upperBound, scratch + worker * threadFloats)
      }
    }
  }
}

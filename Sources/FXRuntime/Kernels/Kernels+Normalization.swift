internal import CKernels
import FXCore

extension KernelTable {
  mutating func addNormalizations() {
    self[.layerNormalization] = { $0.layerNormalization() }
    self[.rmsNormalization] = { $0.rmsNormalization() }
    self[.batchNormalization] = { $0.batchNormalization() }
    self[.groupNormalization] = { request in
      request.groupNormalization(groups: request[GroupNormalization.groupCount], epsilon: request[GroupNormalization.epsilon])
    }
    self[.instanceNormalization] = { request in
      guard request.shape(0).count > 1 else { return nil }
      return request.groupNormalization(groups: request.shape(0)[1], epsilon: request[InstanceNormalization.epsilon])
    }
  }
}

extension KernelRequest {
  /// The rows that are normalized: the axes from `axis` on are one.
  private func rows() -> (rows: Int, columns: Int)? {
    guard let axis = KernelRequest.axis(self[LayerNormalization.axis], rank: shape(0).count) else { return nil }
    return (shape(0)[..<axis].reduce(1, *), shape(0)[axis...].reduce(1, *))
  }

  fileprivate func layerNormalization() -> KernelChoice? {
    guard isAll(.float32), let (rows, columns) = rows(), operands[1]?.elementCount == columns,
      !has(2) || operands[2]?.elementCount == columns
    else { return nil }
    let kernel = LayerNormKernel(
      columns: columns, epsilon: self[LayerNormalization.epsilon], hasBias: has(2),
      division: WorkDivision(rows, nanosecondsEach: 0.3 * Double(columns) + 10, threads: threads))
    return .kernel(kernel, inPlace: [0])
  }

  fileprivate func rmsNormalization() -> KernelChoice? {
    guard isAll(.float32), let (rows, columns) = rows(), operands[1]?.elementCount == columns else { return nil }
    let epsilon = self[LayerNormalization.epsilon]
    let kernel = RowMapKernel(
      columns: columns, division: WorkDivision(rows, nanosecondsEach: 0.3 * Double(columns) + 10, threads: threads)
    ) { x, scale, y, rows in fxk_rms_norm_f32(x, y, rows, columns, scale, epsilon) }
    return .kernel(kernel, inPlace: [0])
  }

  fileprivate func batchNormalization() -> KernelChoice? {
    guard !self[BatchNormalization.trainingMode], isAll(.float32), shape(0).count >= 2, !wanted.dropFirst().contains(true)
    else { return nil }
    let channels = shape(0)[1]
    let size = shape(0)[2...].reduce(1, *)
    guard (1...4).allSatisfy({ operands[$0]?.elementCount == channels }) else { return nil }
    let kernel = BatchNormKernel(
      channels: channels, size: size, epsilon: self[BatchNormalization.epsilon],
      division: WorkDivision(shape(0)[0] * channels, nanosecondsEach: 0.2 * Double(size) + 5, threads: threads))
    return .kernel(kernel, scratch: 2 * channels * MemoryLayout<Float>.stride, inPlace: [0])
  }

  fileprivate func groupNormalization(groups: Int, epsilon: Float) -> KernelChoice? {
    guard isAll(.float32), shape(0).count >= 2, groups > 0 else { return nil }
    let (batch, channels) = (shape(0)[0], shape(0)[1])
    let size = shape(0)[2...].reduce(1, *)
    guard channels % groups == 0, operands[1]?.elementCount == channels, operands[2]?.elementCount == channels else { return nil }
    let columns = channels / groups * size
    let kernel = GroupNormKernel(
      channels: channels, groups: groups, size: size, epsilon: epsilon,
      division: WorkDivision(batch * groups, nanosecondsEach: 0.4 * Double(columns) + 20, threads: threads))
    return .kernel(kernel, inPlace: [0])
  }
}

private struct LayerNormKernel: Kernel {
  let columns: Int
  let epsilon: Float
  let hasBias: Bool
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, scale, y) = (
      arguments.operand(0, as: Float.self), arguments.operand(1, as: Float.self), arguments.result(as: Float.self)
    )
    let bias = hasBias ? arguments.operand(2, as: Float.self) : nil
    let mean = arguments.wants(1) ? arguments.result(1, as: Float.self) : nil
    let deviation = arguments.wants(2) ? arguments.result(2, as: Float.self) : nil
    division.run(on: arguments.pool) { range, _ in
      let row = range.lowerBound
      fxk_layer_norm_f32(
        x + row * columns, y + row * columns, range.count, columns, scale, bias, epsilon, mean.map { $0 + row },
        deviation.map { $0 + row })
    }
  }
}

/// A function of rows and one parameter per column.
private struct RowMapKernel: Kernel {
  let columns: Int
  let division: WorkDivision
  let function:
    @Sendable (
      _ x: UnsafePointer<Float>, _ parameter: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ rows: Int
    ) -> Void

  func run(_ arguments: borrowing KernelArguments) {
    let (x, parameter) = (arguments.operand(0, as: Float.self), arguments.operand(1, as: Float.self))
    let y = arguments.result(as: Float.self)
    division.run(on: arguments.pool) { range, _ in
      function(x + range.lowerBound * columns, parameter, y + range.lowerBound * columns, range.count)
    }
  }
}

/// Scales and shifts channels by what follows from the running statistics.
private struct BatchNormKernel: Kernel {
  let channels: Int
  let size: Int
  let epsilon: Float
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (gamma, beta) = (arguments.operand(1, as: Float.self), arguments.operand(2, as: Float.self))
    let (mean, variance) = (arguments.operand(3, as: Float.self), arguments.operand(4, as: Float.self))
    let scale = arguments.scratch.assumingMemoryBound(to: Float.self)
    let shift = scale + channels
    for c in 0..<channels {
      scale[c] = gamma[c] / (variance[c] + epsilon).squareRoot()
      shift[c] = beta[c] - mean[c] * scale[c]
    }
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { range, _ in
      fxk_channel_affine_f32(x, y, size, channels, scale, shift, false, range.lowerBound, range.upperBound)
    }
  }
}

/// Normalizes groups of channels, then scales and shifts each channel.
private struct GroupNormKernel: Kernel {
  let channels: Int
  let groups: Int
  let size: Int
  let epsilon: Float
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let (scale, shift) = (arguments.operand(1, as: Float.self), arguments.operand(2, as: Float.self))
    let perGroup = channels / groups
    division.run(on: arguments.pool) { range, _ in
      for group in range {
        let start = group * perGroup * size
        fxk_layer_norm_f32(x + start, y + start, 1, perGroup * size, nil, nil, epsilon, nil, nil)
        fxk_channel_affine_f32(y, y, size, channels, scale, shift, false, group * perGroup, (group + 1) * perGroup)
      }
    }
  }
}

internal import CKernels
import FXCore
import Foundation

extension KernelTable {
  mutating func addSignals() {
    self[.stft] = { $0.framesTransformed() }
  }
}

extension KernelRequest {
  /// Frames that are transformed as a matrix product: rows of the first operand are the frames where they lie in the
  /// signal, columns of the second the window times cosines and sines. For frames of some thousand elements a fast Fourier
  /// transform would take fewer products, but they would not be a matrix product's.
  fileprivate func framesTransformed() -> KernelChoice? {
    let signal = shape(0)
    guard isFloat(0), signal.count == 3, signal[2] == 1, results[0].elementType == .float32, results[0].shape.count == 4,
      results[0].elementCount > 0, has(1), let stepOperand = operands[1]?.constant,
      let step = constantIntegers(1)?.first, step > 0,
      !has(2) || (isFloat(2) && operands[2]?.constant != nil)
    else { return nil }
    let window = has(2) ? operands[2]?.constant : nil
    let given = has(3) ? constantIntegers(3)?.first : window?.elementCount ?? signal[1]
    let (frames, bins) = (results[0].shape[1], results[0].shape[2])
    guard let length = given, length > 0, length <= FramesTransform.longest, window == nil || window?.shape == [length],
      (frames - 1) * step + length <= signal[1], bins == (self[STFT.onesided] ? length / 2 + 1 : length)
    else { return nil }

    let columns = 2 * bins
    let bytes = fxk_gemm_packed_b_size(length, columns) * MemoryLayout<Float>.stride
    // A window serves as the identity of what is made of it; without one the step does.
    let source = window ?? stepOperand
    let packed = weights.packed(source, layout: "stft \(length)×\(bins) \(window != nil)", byteCount: bytes) { data, target in
      let weights = window == nil ? nil : data.baseAddress?.assumingMemoryBound(to: Float.self)
      let basis = FramesTransform.basis(length: length, bins: bins, window: weights)
      fxk_gemm_pack_b(
        basis, columns, 1, length, columns, target.assumingMemoryBound(to: Float.self), 0,
        fxk_gemm_packed_b_panels(length, columns))
    }
    var gemm = fxk_gemm()
    (gemm.m, gemm.n, gemm.k) = (frames, columns, length)
    (gemm.a_row, gemm.a_column, gemm.b_row, gemm.b_column) = (step, 1, columns, 1)
    gemm.c_row = columns
    gemm.packed_b = packed.floats()
    gemm.epilogue = fxk_epilogue_none()
    var batch = ProductKernel.Batch()
    batch.count = signal[0]
    batch.a = (0..<signal[0]).map { $0 * signal[1] }
    batch.b = batch.a.map { _ in 0 }
    batch.residual = batch.b
    let kernel = ProductKernel(gemm, packed: [packed], batch: batch, addends: .init(), threads: threads)
    return .kernel(kernel, scratch: kernel.scratchBytes(threads: threads), unread: has(2) ? [1, 2] : [1])
  }

  private func isFloat(_ index: Int) -> Bool { type(index) == .float32 }
}

private enum FramesTransform {
  /// Beyond this many elements of a frame the matrix outgrows the caches.
  static let longest = 2048

  /// `w[j] (cos(2πjf ÷ n), −sin(2πjf ÷ n))` at row j and columns 2f, 2f + 1.
  static func basis(length: Int, bins: Int, window: UnsafePointer<Float>?) -> [Float] {
    let angle = 2 * Double.pi / Double(length)
    let turns = (0..<length).map { (cos(angle * Double($0)), -sin(angle * Double($0))) }
    var basis = Array(repeating: Float(0), count: length * bins * 2)
    for j in 0..<length {
      let weight = window.map { Double($0[j]) } ?? 1
      for f in 0..<bins {
        let (re, im) = turns[j * f % length]
        basis[(j * bins + f) * 2] = Float(weight * re)
        basis[(j * bins + f) * 2 + 1] = Float(weight * im)
      }
    }
    return basis
  }
}

internal import CBlasShim
internal import CKernels

/// What the kernels found on this machine.
public enum HostInfo {
  /// The instruction set that the kernels use: `baseline`, `avx2` or `avx512`.
  public static var instructionSet: String { String(cString: fxk_isa_name(fxk_current_isa())) }

  /// All that this processor and this build can run.
  public static var instructionSets: [String] {
    (0..<FXK_ISA_COUNT.rawValue).map { fxk_isa(rawValue: $0) }.filter(fxk_isa_available).map { String(cString: fxk_isa_name($0)) }
  }

  /// Floats in a vector, and channels in a block of an image.
  public static var vectorWidth: Int { fxk_channel_block() }

  /// The BLAS that products of `f64` go to, with the processor core it chose; `nil` in a build without one.
  public static var blas: String? { fxblas_available() ? String(cString: fxblas_description()) : nil }
}

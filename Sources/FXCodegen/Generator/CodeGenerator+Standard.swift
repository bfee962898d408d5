extension CodeGenerator {
  /// The targets of this package.
  public static let standardTargets: [any CodeTarget] = [
    StdCppTarget(), StdCppTarget(usesBLAS: true), CudaTarget(), TensorRTTarget(),
  ]
}

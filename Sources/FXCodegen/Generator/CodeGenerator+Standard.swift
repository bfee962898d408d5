extension CodeGenerator {
  /// The targets of this package.
  public static let standardTargets: [any CodeTarget] = [
    NumpyTarget(), PyTorchTarget(), XLATarget(), LibTorchTarget(), SwiftTarget(),
    StdCppTarget(), StdCppTarget(usesBLAS: true), CudaTarget(), TensorRTTarget(),
  ]
}

extension ReferenceKernels {
  /// The kernels of every operator of this framework.
  public static let standard: ReferenceKernels = {
    var kernels = ReferenceKernels()
    kernels.addElementwise()
    kernels.addReshaping()
    kernels.addIndexing()
    kernels.addConvolution()
    kernels.addPooling()
    kernels.addControlFlow()
    kernels.addRecurrent()
    kernels.addSequence()
    kernels.addImage()
    kernels.addLoss()
    kernels.addSignal()
    kernels.addText()
    kernels.addComparison()
    kernels.addActivation()
    kernels.addReduction()
    kernels.addLinearAlgebra()
    kernels.addNormalization()
    kernels.addRandom()
    kernels.addAttention()
    kernels.addContribAttention()
    kernels.addContribLinearAlgebra()
    kernels.addQuantization()
    return kernels
  }()
}

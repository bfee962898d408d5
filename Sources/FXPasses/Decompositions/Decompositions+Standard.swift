extension Decompositions {
  /// The decompositions of this framework's composite operators.
  public static let standard: Decompositions = {
    var decompositions = Decompositions.fused
    decompositions.addElementwise()
    decompositions.addActivation()
    decompositions.addReduction()
    decompositions.addReshaping()
    decompositions.addIndexing()
    decompositions.addLinearAlgebra()
    decompositions.addConvolution()
    decompositions.addPooling()
    decompositions.addNormalization()
    decompositions.addAttention()
    decompositions.addFlexAttention()
    decompositions.addRecurrent()
    decompositions.addControlFlow()
    decompositions.addImage()
    decompositions.addSignal()
    decompositions.addLoss()
    decompositions.addQuantization()
    return decompositions
  }()
}

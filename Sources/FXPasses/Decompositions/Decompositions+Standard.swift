extension Decompositions {
  /// The decompositions of this framework's composite operators.
  public static let standard: Decompositions = {
    var decompositions = Decompositions.fused
    decompositions.addLinearAlgebra()
    decompositions.addAttention()
    return decompositions
  }()
}

extension KernelTable {
  /// The fast kernels of this framework. What is not here runs on the reference kernels.
  public static let standard: KernelTable = {
    var table = KernelTable()
    table.addViews()
    table.addElementwise()
    table.addComparisons()
    table.addCasts()
    table.addActivations()
    table.addLinearAlgebra()
    table.addReductions()
    table.addNormalizations()
    table.addLocalNormalizations()
    table.addReshaping()
    table.addIndexing()
    table.addScattering()
    table.addSelecting()
    table.addConvolutions()
    table.addPoolings()
    table.addRecurrent()
    table.addAttention()
    table.addRotations()
    table.addQuantizations()
    table.addImages()
    table.addTrees()
    table.addSignals()
    return table
  }()
}

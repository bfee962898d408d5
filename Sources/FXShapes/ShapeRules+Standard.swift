extension ShapeRules {
  /// The rules of every operator of this framework.
  public static let standard: ShapeRules = {
    var rules = ShapeRules()
    rules.addReshaping()
    rules.addIndexing()
    rules.addConvolution()
    rules.addPooling()
    rules.addControlFlow()
    rules.addRecurrent()
    rules.addSequence()
    rules.addImage()
    rules.addLoss()
    rules.addSignal()
    rules.addText()
    rules.addElementwise()
    rules.addComparison()
    rules.addActivation()
    rules.addReduction()
    rules.addLinearAlgebra()
    rules.addNormalization()
    rules.addAttention()
    rules.addRandom()
    rules.addQuantization()
    rules.addContrib()
    return rules
  }()
}

extension ShapeRules {
  /// The rules of every operator of this framework.
  public static let standard: ShapeRules = {
    var rules = ShapeRules()
    rules.addElementwise()
    return rules
  }()
}

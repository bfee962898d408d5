/// The activation that an operator made by fusion applies last:
/// `y = activation(result of the base operator + residual)`, the residual where there is one.
///
/// Fused operators have the operands of their base operator, then an optional `residual` that broadcasts to the result,
/// and the base operator's attributes with the two given here.
public enum FusedActivation {
  /// The activation's name; empty for none.
  public static let activation = AttributeKey<String>(
    "activation", default: "", allowed: [""] + functions.map(\.name), "The activation applied last; empty for none.")
  /// The activation's parameters in the order `functions` lists them; empty for its defaults.
  public static let parameters = AttributeKey<[Float]>("activation_params", default: [], "Empty for the defaults.")

  /// What the schema of a fused operator adds to its base operator's attributes.
  public static let specifications = [activation.specification, parameters.specification]

  /// An activation that can be fused, with its parameters: those of the operator of the same name.
  public struct Function: Sendable {
    /// The value of `activation` that names it, such as `leaky_relu`.
    public let name: String
    /// What each number of `parameters` is, in order: attributes of the operator of that name, or `clip`'s bounds.
    public let parameterNames: [String]
    /// The parameters where `parameters` is empty; as many as `parameterNames`.
    public let defaults: [Float]
  }

  /// The activations that can be fused. `gelu_tanh` is `gelu` by its tanh approximation; `clip` takes both bounds.
  public static let functions: [Function] = [
    Function(name: "relu", parameterNames: [], defaults: []),
    Function(name: "leaky_relu", parameterNames: ["alpha"], defaults: [0.01]),
    Function(name: "sigmoid", parameterNames: [], defaults: []),
    Function(name: "tanh", parameterNames: [], defaults: []),
    Function(name: "gelu", parameterNames: [], defaults: []),
    Function(name: "gelu_tanh", parameterNames: [], defaults: []),
    Function(name: "silu", parameterNames: ["alpha"], defaults: [1]),
    Function(name: "hard_swish", parameterNames: [], defaults: []),
    Function(name: "hard_sigmoid", parameterNames: ["alpha", "beta"], defaults: [0.2, 0.5]),
    Function(name: "clip", parameterNames: ["min", "max"], defaults: [-.infinity, .infinity]),
    Function(name: "elu", parameterNames: ["alpha"], defaults: [1]),
    Function(name: "softplus", parameterNames: [], defaults: []),
    Function(name: "mish", parameterNames: [], defaults: []),
  ]

  /// The activation called `name`; `nil` for none and for an unknown one.
  public static func function(named name: String) -> Function? { functions.first { $0.name == name } }
}

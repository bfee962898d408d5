/// Calls that ranks make together. Source of semantics: MPI 4.0, chapters 3 and 6, with tensors for buffers.
///
/// A rank is a number from 0 on. Every rank of a `group` makes the same collective calls in the same order; a rank's part
/// of a tensor is the one at the rank's place in the group. Gradients are those of the sum over the ranks of what is
/// differentiated, as in PyTorch.
extension Operator {
  private static func collective(
    _ name: String, _ summary: String, operands: [OperandSpecification] = ["x"], types: ElementTypes = .exchangeable,
    attributes: [AttributeSpecification], torch: String? = nil
  ) -> Operator {
    Operator(
      name, .collective, summary, operands: operands, types: ["T": types], attributes: attributes, effect: .collective,
      torch: torch.map { "torch.distributed.\($0)" })
  }

  /// `all_reduce`: The group's operands combined element by element, on every rank.
  public static let allReduce = collective(
    "all_reduce", "The group's operands combined element by element, on every rank.", types: .numeric,
    attributes: [Collective.group.specification, Collective.reduction.specification], torch: "all_reduce")
  /// `all_gather`: The group's operands joined along an axis in the group's order, on every rank.
  public static let allGather = collective(
    "all_gather", "The group's operands joined along an axis in the group's order, on every rank.",
    attributes: [Collective.group.specification, Collective.axis.specification], torch: "all_gather")
  /// `reduce_scatter`: The rank's part along an axis of the group's operands combined element by element.
  public static let reduceScatter = collective(
    "reduce_scatter", "The rank's part along an axis of the group's operands combined element by element.", types: .numeric,
    attributes: [Collective.group.specification, Collective.reduction.specification, Collective.axis.specification],
    torch: "reduce_scatter")
  /// Part j along `split_axis` of the operand of rank i becomes part i along `concat_axis` of the result of rank j.
  public static let allToAll = collective(
    "all_to_all", "Each rank's parts along one axis given to the ranks, and what they give joined along another.",
    attributes: [Collective.group.specification, AllToAll.splitAxis.specification, AllToAll.concatAxis.specification],
    torch: "all_to_all")
  /// `broadcast`: The operand of the root, on every rank of the group.
  public static let broadcast = collective(
    "broadcast", "The operand of the root, on every rank of the group.",
    attributes: [Collective.group.specification, Collective.root.specification], torch: "broadcast")
  /// What `broadcast` has as its gradient.
  public static let reduceToRoot = collective(
    "reduce", "The group's operands combined element by element on the root; zeros on the others.", types: .numeric,
    attributes: [
      Collective.group.specification, Collective.root.specification, Collective.reduction.specification,
    ], torch: "reduce")
  /// The token is what a loss adds so that the gradient flows back from the peer.
  public static let send = Operator(
    "send", .collective, "Gives the operand to the peer. The token is 0.", operands: ["x"], results: ["token: S"],
    types: ["T": .exchangeable, "S": .init(.float32)],
    attributes: [Collective.peer.specification, Collective.tag.specification], effect: .collective,
    torch: "torch.distributed.send")
  /// The token makes the result depend on what the rank did before: the gradient then goes back to the peer.
  public static let recv = Operator(
    "recv", .collective, "What the peer sent.", operands: ["token?: S"],
    types: ["T": .exchangeable, "S": .init(.float32)],
    attributes: [Collective.peer.specification, Collective.tag.specification, Recv.type.specification],
    effect: .collective, torch: "torch.distributed.recv")
  /// `barrier`: The operand, as soon as every rank of the group is here.
  public static let barrier = collective(
    "barrier", "The operand, as soon as every rank of the group is here.", types: .any,
    attributes: [Collective.group.specification], torch: "barrier")

  package static let collectives: [Operator] = [
    .allReduce, .allGather, .reduceScatter, .allToAll, .broadcast, .reduceToRoot, .send, .recv, .barrier,
  ]
}

extension ElementTypes {
  /// What ranks give each other: elements of whole bytes.
  public static let exchangeable: ElementTypes = [.numeric, .float8, .complex, .bool]
}

/// Attributes of the calls that ranks make together.
public enum Collective {
  /// The ranks that take part, each once.
  public static let group = AttributeKey<[Int]>("group")
  /// How elements are combined. `mean` is the sum divided by the number of ranks.
  public static let reduction = AttributeKey<String>(
    "reduction", default: "sum", allowed: ["sum", "mean", "max", "min", "prod"])
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
  /// A rank of the group.
  public static let root = AttributeKey<Int>("root")
  /// The rank at the other end.
  public static let peer = AttributeKey<Int>("peer")
  /// Tells apart what two ranks send each other.
  public static let tag = AttributeKey<Int>("tag", default: 0)
}

/// The attributes of `all_to_all`.
public enum AllToAll {
  /// The axis along which each rank's operand is cut, a part for each rank of the group; 0 unless said.
  public static let splitAxis = AttributeKey<Int>("split_axis", default: 0)
  /// The axis along which the parts that come are joined, in the group's order; 0 unless said.
  public static let concatAxis = AttributeKey<Int>("concat_axis", default: 0)
}

/// The attributes of `recv`.
public enum Recv {
  /// The type of what comes.
  public static let type = AttributeKey<ValueType>("type")
}

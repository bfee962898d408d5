"""make-gradient-cases.py [FILE]: gradients of the core operators by PyTorch, in float64, for the tests of differentiation.

FILE (Tests/FXPassesTests/Data/gradients.safetensors when left out) receives for each case NAME
  metadata NAME            a graph in the text format, whose floating inputs are x0, x1, …
  NAME.xI                  the inputs
  NAME.yI, NAME.cI         the outputs, and the cotangents that the gradient starts from
  NAME.gI                  the gradients with respect to the inputs
"""

import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(0)
CASES = []


def case(name, call, function, *inputs, constants="", results=1):
    """A call of x0, x1, … as the text format writes it, the function of PyTorch that it is, and its operands."""
    CASES.append((name, call, function, inputs, constants, results))


def r(*shape, low=-2.0, high=2.0):
    return torch.rand(shape, dtype=torch.float64) * (high - low) + low


def integers(name, *values, shape=None):
    shape = [len(values)] if shape is None else shape
    return f"  parameter @{name}: i64[{', '.join(map(str, shape))}] constant = [{', '.join(map(str, values))}]\n"


def scalar(name, value, kind="f64"):
    return f"  parameter @{name}: {kind}[] constant = [{value}]\n"


def elementwise():
    everywhere = {
        "neg": torch.neg, "abs": torch.abs, "exp": torch.exp, "erf": torch.erf, "sin": torch.sin, "cos": torch.cos,
        "atan": torch.atan, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "asinh": torch.asinh, "relu": torch.relu,
        "sigmoid": torch.sigmoid, "identity": lambda x: x * 1, "floor": torch.floor, "ceil": torch.ceil, "round": torch.round,
        "sign": torch.sign, "reciprocal": torch.reciprocal,
    }
    for name, function in everywhere.items():
        case(name, f"{name}(%x0)", function, r(3, 4))
    for name, function in {"sqrt": torch.sqrt, "log": torch.log}.items():
        case(name, f"{name}(%x0)", function, r(3, 4, low=0.2))
    for name, function in {"asin": torch.asin, "acos": torch.acos, "atanh": torch.atanh, "tan": torch.tan}.items():
        case(name, f"{name}(%x0)", function, r(3, 4, low=-0.9, high=0.9))
    case("acosh", "acosh(%x0)", torch.acosh, r(3, 4, low=1.1, high=4))
    binary = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
    for name, function in binary.items():
        case(name, f"{name}(%x0, %x1)", function, r(2, 3), r(2, 3, low=0.4))
        case(f"{name}_broadcast", f"{name}(%x0, %x1)", function, r(3, 1), r(2, 1, 4, low=0.4))
    case("pow", "pow(%x0, %x1)", torch.pow, r(2, 3, low=0.3), r(3))
    case("pow_square", "pow(%x0, @two)", lambda x: x**2, r(2, 3), constants=scalar("two", 2.0))
    case("mod", "mod(%x0, %x1) {fmod = true}", torch.fmod, r(5, low=3, high=4), r(5, low=0.7, high=0.9))
    case("minimum", "minimum(%x0, %x1)", torch.minimum, r(2, 3), r(3))
    case("maximum", "maximum(%x0, %x1)", torch.maximum, r(2, 3), r(3))
    case("clip", "clip(%x0, @low, @high)", lambda x: x.clamp(-0.7, 0.9), r(9),
         constants=scalar("low", -0.7) + scalar("high", 0.9))
    case("where", "where(@c, %x0, %x1)", lambda a, b: torch.where(torch.tensor([True, False, True]), a, b), r(2, 3), r(3),
         constants="  parameter @c: bool[3] constant = [true, false, true]\n")
    case("cast", "cast(%x0) {to = f64}", lambda x: x.to(torch.float64) * 1, r(4))
    for axis in (0, -1):
        case(f"softmax_{axis % 3}", f"softmax(%x0) {{axis = {axis}}}", lambda x, axis=axis: torch.softmax(x, axis), r(2, 3, 2))
    # Ties and kinks: what is said there is PyTorch's.
    case("relu_zero", "relu(%x0)", torch.relu, torch.zeros(3, dtype=torch.float64))
    case("abs_zero", "abs(%x0)", torch.abs, torch.zeros(3, dtype=torch.float64))


def reductions():
    sums = {"reduce_sum": torch.sum, "reduce_mean": torch.mean, "reduce_max": torch.amax, "reduce_min": torch.amin}
    for name, function in sums.items():
        case(name, f"{name}(%x0)", lambda x, f=function: f(x, (0, 1, 2), keepdim=True), r(2, 3, 2))
        case(f"{name}_axes", f"{name}(%x0, @axes) {{keepdims = false}}", lambda x, f=function: f(x, (0, 2)), r(2, 3, 2),
             constants=integers("axes", 0, -1))
    case("reduce_max_ties", "reduce_max(%x0, @axes)", lambda x: torch.amax(x, 1, keepdim=True),
         torch.tensor([[1.0, 3, 3], [2, 2, 2]], dtype=torch.float64), constants=integers("axes", 1))
    case("reduce_prod", "reduce_prod(%x0, @axes)", lambda x: torch.prod(x, 1, keepdim=True), r(3, 4), constants=integers("axes", 1))
    case("reduce_prod_zero", "reduce_prod(%x0, @axes)", lambda x: torch.prod(x, 1, keepdim=True),
         torch.tensor([[1.0, 0, 3], [0, 0, 2]], dtype=torch.float64), constants=integers("axes", 1))
    case("cumsum", "cumsum(%x0, @axis)", lambda x: torch.cumsum(x, 1), r(2, 4), constants=scalar("axis", 1, "i64"))
    case("cumprod", "cumprod(%x0, @axis)", lambda x: torch.cumprod(x, 1), r(2, 4), constants=scalar("axis", 1, "i64"))
    case("cumprod_zero", "cumprod(%x0, @axis)", lambda x: torch.cumprod(x, 0),
         torch.tensor([2.0, 0, 3, 0, 5], dtype=torch.float64), constants=scalar("axis", 0, "i64"))


def movement():
    case("reshape", "reshape(%x0, @s)", lambda x: x.reshape(3, -1) * 1, r(2, 6), constants=integers("s", 3, -1))
    case("transpose", "transpose(%x0) {perm = [2, 0, 1]}", lambda x: x.permute(2, 0, 1) * 1, r(2, 3, 4))
    case("squeeze", "squeeze(%x0, @a)", lambda x: x.squeeze(1) * 1, r(2, 1, 3), constants=integers("a", 1))
    case("unsqueeze", "unsqueeze(%x0, @a)", lambda x: x[None, :, :, None] * 1, r(2, 3), constants=integers("a", 0, 3))
    case("expand", "expand(%x0, @s)", lambda x: x.expand(2, 3, 4) * 1, r(3, 1), constants=integers("s", 2, 3, 4))
    case("concat", "concat(%x0, %x1) {axis = 1}", lambda a, b: torch.cat([a, b], 1), r(2, 3), r(2, 2))
    case("split", "split(%x0, @s) {axis = 1}", lambda x: torch.split(x, [2, 3], 1), r(2, 5), constants=integers("s", 2, 3), results=2)
    case("slice", "slice(%x0, @b, @e, @a, @t)", lambda x: x[1:4].flip(1)[:, 0:4:2], r(4, 5),
         constants=integers("b", 1, -1) + integers("e", 4, -5) + integers("a", 0, 1) + integers("t", 1, -2))
    case("pad", "pad(%x0, @p)", lambda x: F.pad(x, (0, 2, 1, 0)), r(2, 3), constants=integers("p", 1, 0, 0, 2))
    case("pad_reflect", 'pad(%x0, @p) {mode = "reflect"}', lambda x: F.pad(x[None], (2, 1), mode="reflect")[0], r(2, 4),
         constants=integers("p", 0, 2, 0, 1))
    case("pad_edge", 'pad(%x0, @p) {mode = "edge"}', lambda x: F.pad(x[None], (2, 1), mode="replicate")[0], r(2, 4),
         constants=integers("p", 0, 2, 0, 1))
    case("pad_wrap", 'pad(%x0, @p) {mode = "wrap"}', lambda x: F.pad(x[None], (2, 1), mode="circular")[0], r(2, 4),
         constants=integers("p", 0, 2, 0, 1))
    case("tile", "tile(%x0, @n)", lambda x: x.repeat(2, 3), r(2, 3), constants=integers("n", 2, 3))


def indexing():
    rows, places = torch.tensor([[0, 2], [3, 0]]), torch.tensor([[0, 2, 1], [0, 0, 2]])
    case("gather", "gather(%x0, @i) {axis = 0}", lambda x: x[rows], r(4, 3), constants=integers("i", 0, 2, 3, 0, shape=[2, 2]))
    case("gather_axis", "gather(%x0, @i) {axis = 1}", lambda x: x[:, [3, 3]], r(2, 4, 3), constants=integers("i", 3, -1))
    case("gather_elements", "gather_elements(%x0, @i) {axis = 0}", lambda x: torch.gather(x, 0, places), r(3, 3),
         constants=integers("i", 0, 2, 1, 0, 0, 2, shape=[2, 3]))
    case("gather_nd", "gather_nd(%x0, @i)", lambda x: x[[0, 1], [2, 0]], r(3, 3), constants=integers("i", 0, 2, 1, 0, shape=[2, 2]))
    case("scatter_elements", "scatter_elements(%x0, @i, %x1) {axis = 0}", lambda x, u: torch.scatter(x, 0, places[:1], u), r(3, 3),
         r(1, 3), constants=integers("i", 0, 2, 1, shape=[1, 3]))
    case("scatter_elements_add", 'scatter_elements(%x0, @i, %x1) {axis = 0, reduction = "add"}',
         lambda x, u: torch.scatter_add(x, 0, places, u), r(3, 3), r(2, 3), constants=integers("i", 0, 2, 1, 0, 0, 2, shape=[2, 3]))
    case("scatter_nd", "scatter_nd(%x0, @i, %x1)", lambda x, u: torch.index_put(x, (torch.tensor([3, 1]),), u), r(4, 2), r(2, 2),
         constants=integers("i", 3, 1, shape=[2, 1]))
    case("topk", "topk(%x0, @k)", lambda x: torch.topk(x, 3).values, r(2, 5), constants=integers("k", 3), results=2)


def products():
    for name, a, b in [("matrices", (2, 3), (3, 4)), ("batch", (5, 2, 3), (3, 4)), ("broadcast", (2, 1, 2, 3), (4, 3, 2)),
                       ("vectors", (3,), (3,)), ("column", (2, 3), (3,)), ("row", (3,), (2, 3, 4))]:
        case(f"matmul_{name}", "matmul(%x0, %x1)", torch.matmul, r(*a), r(*b))
    case("gemm", "gemm(%x0, %x1, %x2) {alpha = 0.5, beta = 2.0}", lambda a, b, c: 0.5 * a @ b + 2 * c, r(2, 3), r(3, 4), r(4))
    case("gemm_transposed", "gemm(%x0, %x1, %x2) {transA = true, transB = true}", lambda a, b, c: a.T @ b.T + c, r(3, 2), r(4, 3), r(2, 1))


def windows():
    case("conv_1d", "conv(%x0, %x1, %x2)", F.conv1d, r(2, 3, 5), r(4, 3, 3), r(4))
    case("conv_2d", "conv(%x0, %x1) {pads = [1, 0, 1, 0], strides = [2, 1]}",
         lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 0)), r(1, 2, 6, 5), r(3, 2, 3, 2))
    case("conv_groups", "conv(%x0, %x1) {dilations = [2, 1], group = 2}",
         lambda x, w: F.conv2d(x, w, dilation=(2, 1), groups=2), r(2, 4, 5, 5), r(6, 2, 2, 2))
    case("conv_3d", "conv(%x0, %x1)", F.conv3d, r(1, 2, 3, 4, 3), r(2, 2, 2, 2, 2))
    case("conv_transpose", "conv_transpose(%x0, %x1, %x2) {strides = [2]}", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2),
         r(2, 3, 4), r(3, 2, 3), r(2))
    case("conv_transpose_groups", "conv_transpose(%x0, %x1) {group = 2, output_padding = [1, 0], pads = [1, 0, 1, 0], strides = [2, 2]}",
         lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=(1, 0), output_padding=(1, 0), groups=2), r(1, 4, 3, 3), r(4, 1, 3, 2))
    case("max_pool", "max_pool(%x0) {kernel_shape = [3, 2], pads = [1, 0, 1, 0], strides = [2, 1]}",
         lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 0)), r(2, 2, 5, 5))
    for counts in (False, True):
        case(f"average_pool_{str(counts).lower()}",
             f"average_pool(%x0) {{count_include_pad = {str(counts).lower()}, kernel_shape = [3, 2], pads = [1, 0, 1, 0], strides = [2, 1]}}",
             lambda x, counts=counts: F.avg_pool2d(x, (3, 2), (2, 1), (1, 0), count_include_pad=counts), r(1, 2, 5, 4))
    case("resize_linear", 'resize(%x0, none, none, @s) {mode = "linear"}',
         lambda x: F.interpolate(x, (5, 7), mode="bilinear"), r(1, 2, 3, 4), constants=integers("s", 1, 2, 5, 7))
    case("resize_cubic", 'resize(%x0, none, none, @s) {mode = "cubic"}',
         lambda x: F.interpolate(x, (8, 6), mode="bicubic"), r(1, 1, 4, 3), constants=integers("s", 1, 1, 8, 6))
    case("resize_nearest", 'resize(%x0, none, none, @s) {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "floor"}',
         lambda x: F.interpolate(x, (6, 4)), r(1, 1, 3, 2), constants=integers("s", 1, 1, 6, 4))


def control():
    case("cond", """cond(@p, %x0) then(%a: f64[3]) {
    %b: f64[3] = mul(%a, %a)
    return %b
  } else(%a: f64[3]) {
    %b: f64[3] = exp(%a)
    return %b
  }""", torch.exp, r(3), constants="  parameter @p: bool[] constant = [false]\n")

    def turns(x, w):
        for _ in range(4):
            x = torch.tanh(x * w) + x
        return x
    body = """{
    %m: f64[3] = mul(%s, %w)
    %t: f64[3] = tanh(%m)
    %n: f64[3] = add(%t, %s)
"""
    case("loop", "loop(@n, none, %x0, %x1) {state_count = 1} body(%i: i64[], %c: bool[], %s: f64[3], %w: f64[3]) " + body
         + "    return %c, %n\n  }", turns, r(3), r(3), constants=scalar("n", 4, "i64"))
    case("while_loop", "while_loop(@z, %x0, %x1) condition(%i: i64[], %s: f64[3], %w: f64[3]) {\n    %l: bool[] = less(%i, @n)\n"
         "    return %l\n  } body(%i: i64[], %s: f64[3], %w: f64[3]) " + body
         + "    %j: i64[] = add(%i, @o)\n    return %j, %n, %w\n  }", turns, r(3), r(3),
         constants=scalar("z", 0, "i64") + scalar("n", 4, "i64") + scalar("o", 1, "i64"), results=-3)

    def scanned(state, elements):
        outputs = []
        for element in elements:
            state = torch.tanh(state * element) + state
            outputs.append(state)
        return state, torch.stack(outputs)
    case("scan", "scan(%x0, %x1) {num_scan_inputs = 1, state_count = 1} body(%s: f64[3], %w: f64[3]) " + body
         + "    return %n, %n\n  }", scanned, r(3), r(5, 3), results=2)


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "Tests/FXPassesTests/Data/gradients.safetensors"
    for part in (elementwise, reductions, movement, indexing, products, windows, control):
        part()
    tensors, texts = {}, {}
    for name, call, function, inputs, constants, results in CASES:
        assert name not in texts, name
        inputs = [x.clone().requires_grad_() for x in inputs]
        outputs = function(*inputs)
        outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
        cotangents = [r(*y.shape, low=-1, high=1) for y in outputs]
        total = sum((y * c).sum() for y, c in zip(outputs, cotangents))
        gradients = torch.autograd.grad(total, inputs, allow_unused=True, materialize_grads=True)
        arguments = ", ".join(f"%x{i}: f64[{', '.join(map(str, x.shape))}]" for i, x in enumerate(inputs))
        # Results that PyTorch's function does not have come after those that it has; those of a negative count before.
        count = abs(results)
        names = ", ".join(f"%y{i}" for i in range(count))
        given = range(count)[1:2] if results < 0 else range(len(outputs))
        texts[name] = (f"fx 1\ngraph @main({arguments}) {{\n{constants}  {names} = {call}\n"
                       f"  return {', '.join(f'%y{i}' for i in given)}\n}}\n")
        for kind, values in {"x": inputs, "y": outputs, "c": cotangents, "g": gradients}.items():
            for index, value in enumerate(values):
                tensors[f"{name}.{kind}{index}"] = value.detach().clone().contiguous()
    save_file(tensors, target, metadata=texts)
    print(f"{len(texts)} cases")


if __name__ == "__main__":
    main()

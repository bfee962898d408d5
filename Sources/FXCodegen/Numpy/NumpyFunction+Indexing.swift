extension NumpyFunction {
  static let indexed: [NumpyFunction] = [
    .reshape, .sliceAxes, .pad, .gatherElements, .gatherND, .scatterElements, .scatterND, .topK, .spread, .quantize,
  ]

  static let reshape = NumpyFunction(
    "reshape",
    """
    def reshape(x, shape, allow_zero=False):
        \"\"\"x.reshape, where 0 stands for the size that x has.\"\"\"
        sizes = [x.shape[i] if size == 0 and not allow_zero else int(size) for i, size in enumerate(shape)]
        if -1 in sizes and x.size == 0:
            sizes[sizes.index(-1)] = 0
        return x.reshape(sizes)
    """)

  static let sliceAxes = NumpyFunction(
    "slice_axes",
    """
    def slice_axes(x, starts, ends, axes=None, steps=None):
        \"\"\"x cut along some axes, each from a start to an end by a step.\"\"\"
        axes = range(len(starts)) if axes is None else axes
        steps = [1] * len(starts) if steps is None else steps
        index = [slice(None)] * x.ndim
        for start, end, axis, step in zip(starts, ends, axes, steps):
            size = x.shape[axis]
            end = None if step < 0 and end < -size else int(end)
            index[axis] = slice(int(start), end, int(step))
        return x[tuple(index)]
    """)

  static let pad = NumpyFunction(
    "pad",
    """
    def pad(x, pads, value=0, axes=None, mode="constant"):
        \"\"\"np.pad along some axes; negative counts cut.\"\"\"
        axes = range(x.ndim) if axes is None else [int(axis) for axis in axes]
        widths = [(0, 0)] * x.ndim
        for i, axis in enumerate(axes):
            widths[axis] = (int(pads[i]), int(pads[i + len(axes)]))
        x = x[tuple(slice(max(0, -start), size - max(0, -end)) for (start, end), size in zip(widths, x.shape))]
        widths = [(max(0, start), max(0, end)) for start, end in widths]
        return np.pad(x, widths, constant_values=value) if mode == "constant" else np.pad(x, widths, mode=mode)
    """)

  static let gatherElements = NumpyFunction(
    "gather_elements",
    """
    def gather_elements(x, indices, axis):
        axis %= x.ndim
        places = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
        places[axis] = indices
        return x[tuple(places)]
    """)

  static let gatherND = NumpyFunction(
    "gather_nd",
    """
    def gather_nd(x, indices, batch_dims=0):
        batch = np.ogrid[tuple(slice(size) for size in x.shape[:batch_dims])]
        spread = indices.ndim - 1 - batch_dims
        places = [place.reshape(place.shape + (1,) * spread) for place in batch]
        return x[tuple(places + list(np.moveaxis(indices, -1, 0)))]
    """)

  static let scatterElements = NumpyFunction(
    "scatter_elements",
    """
    def scatter_elements(x, indices, updates, axis, reduction="none"):
        y = x.copy()
        places = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
        places[axis % x.ndim] = indices
        if reduction == "none":
            y[tuple(places)] = updates
        else:
            join = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[reduction]
            join.at(y, tuple(places), updates)
        return y
    """)

  static let scatterND = NumpyFunction(
    "scatter_nd",
    """
    def scatter_nd(x, indices, updates, reduction="none"):
        y = x.copy()
        places = tuple(np.moveaxis(indices, -1, 0))
        if reduction == "none":
            y[places] = updates
        else:
            join = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}[reduction]
            join.at(y, places, updates)
        return y
    """)

  static let topK = NumpyFunction(
    "topk",
    """
    def topk(x, k, axis, largest=True):
        \"\"\"The k largest or smallest elements along an axis and where they are; equal ones by index.\"\"\"
        if largest:
            order = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
        else:
            order = np.argsort(x, axis=axis, kind="stable")
        order = np.take(order, np.arange(k), axis=axis)
        return np.take_along_axis(x, order, axis=axis), order
    """)

  static let spread = NumpyFunction(
    "spread",
    """
    def spread(scale, x, axis, block_size=0):
        \"\"\"Scales or zero points in a shape that goes with x: one for all, per channel, or per block.\"\"\"
        scale = np.asarray(scale)
        if scale.size == 1:
            return scale.reshape(())
        if block_size:
            return np.take(np.repeat(scale, block_size, axis=axis), np.arange(x.shape[axis]), axis=axis)
        return scale.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    """)

  static let quantize = NumpyFunction(
    "quantize",
    """
    def quantize(x, zero_point, low, high, dtype):
        \"\"\"x rounded to integers, moved by the zero point, within [low, high].\"\"\"
        return np.clip(np.rint(x).astype(np.float64) + zero_point, low, high).astype(dtype)
    """)
}

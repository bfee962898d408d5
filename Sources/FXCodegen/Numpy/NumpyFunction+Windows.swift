extension NumpyFunction {
  static let windowed: [NumpyFunction] = [
    .samePads, .windows, .conv, .convTranspose, .maxPool, .maxPoolIndices, .averagePool, .resizeTable, .resize,
  ]

  static let samePads = NumpyFunction(
    "same_pads",
    """
    def same_pads(sizes, kernel, strides, dilations, upper):
        \"\"\"The padding with which a window gives ceil(size / stride) positions; the odd element at the end if upper.\"\"\"
        starts, ends = [], []
        for size, k, s, d in zip(sizes, kernel, strides, dilations):
            total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
            starts.append(total // 2 if upper else total - total // 2)
            ends.append(total - starts[-1])
        return (*starts, *ends)
    """)

  static let windows = NumpyFunction(
    "windows",
    """
    def windows(x, kernel, strides, pads, dilations, fill=0, ceil_mode=False):
        \"\"\"The windows that slide over x [n, c, spatial...]: [n, c, positions..., kernel...].\"\"\"
        rank = len(kernel)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        starts, ends = list(pads[:rank]), list(pads[rank:])
        if ceil_mode:
            for i, size in enumerate(x.shape[2:]):
                count = -(-(size + starts[i] + ends[i] - spans[i]) // strides[i]) + 1
                count = min(count, -(-(size + starts[i]) // strides[i]))
                ends[i] = max(ends[i], (count - 1) * strides[i] + spans[i] - size - starts[i])
                x_end = starts[i] + size + ends[i]
                ends[i] -= max(0, x_end - ((count - 1) * strides[i] + spans[i]))
        cut = [slice(max(0, -s), size + min(0, e)) for s, e, size in zip(starts, ends, x.shape[2:])]
        x = x[(slice(None), slice(None), *cut)]
        widths = [(0, 0), (0, 0), *((max(0, s), max(0, e)) for s, e in zip(starts, ends))]
        x = np.pad(x, widths, constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(x, spans, axis=tuple(range(2, 2 + rank)))
        steps = [slice(None, None, s) for s in strides] + [slice(None, None, d) for d in dilations]
        return view[(slice(None), slice(None), *steps)]
    """)

  static let conv = NumpyFunction(
    "conv", uses: [.windows],
    """
    def conv(x, w, b=None, *, strides, pads, dilations, group=1):
        dtype = x.dtype
        if dtype == np.float16:
            x, w = x.astype(np.float32), w.astype(np.float32)
        rank = w.ndim - 2
        parts = windows(x, w.shape[2:], strides, pads, dilations)
        n, positions = len(x), parts.shape[2 : 2 + rank]
        columns = np.moveaxis(parts, 1, 1 + rank).reshape(n, math.prod(positions), group, math.prod(w.shape[1:]))
        kernels = w.reshape(group, w.shape[0] // group, math.prod(w.shape[1:]))
        y = columns.transpose(0, 2, 1, 3) @ kernels.transpose(0, 2, 1)
        y = y.transpose(0, 1, 3, 2).reshape(n, w.shape[0], *positions)
        if b is not None:
            y = y + b.reshape(-1, *[1] * rank)
        return y.astype(dtype)
    """)

  static let convTranspose = NumpyFunction(
    "conv_transpose",
    """
    def conv_transpose(x, w, b=None, *, strides, pads, dilations, output_padding, group=1):
        dtype = x.dtype
        if dtype == np.float16:
            x, w = x.astype(np.float32), w.astype(np.float32)
        n, channels, *sizes = x.shape
        kernel = w.shape[2:]
        rank = len(kernel)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
        full = [(size - 1) * s + span + p for size, s, span, p in zip(sizes, strides, spans, output_padding)]
        y = np.zeros((n, group, w.shape[1], *full), x.dtype)
        x = x.reshape(n, group, channels // group, math.prod(sizes))
        for tap in np.ndindex(*kernel):
            matrix = w[(slice(None), slice(None), *tap)].reshape(group, channels // group, w.shape[1])
            part = (matrix.transpose(0, 2, 1) @ x).reshape(n, group, w.shape[1], *sizes)
            place = [slice(t * d, t * d + (size - 1) * s + 1, s) for t, d, size, s in zip(tap, dilations, sizes, strides)]
            y[(slice(None), slice(None), slice(None), *place)] += part
        y = y.reshape(n, group * w.shape[1], *full)
        grow = [(0, 0), (0, 0), *((max(0, -s), max(0, -e)) for s, e in zip(pads[:rank], pads[rank:]))]
        cut = [slice(max(0, s), size - max(0, e)) for s, e, size in zip(pads[:rank], pads[rank:], full)]
        y = np.pad(y[(slice(None), slice(None), *cut)], grow)
        if b is not None:
            y = y + b.reshape(-1, *[1] * rank)
        return y.astype(dtype)
    """)

  static let maxPool = NumpyFunction(
    "max_pool", uses: [.windows],
    """
    def max_pool(x, kernel, *, strides, pads, dilations, ceil_mode=False):
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        parts = windows(x, kernel, strides, pads, dilations, lowest, ceil_mode)
        return parts.max(axis=tuple(range(-len(kernel), 0)))
    """)

  static let maxPoolIndices = NumpyFunction(
    "max_pool_indices", uses: [.windows],
    """
    def max_pool_indices(x, kernel, *, strides, pads, dilations, ceil_mode=False, column_major=False):
        \"\"\"The largest element of each window, and where it is in x.\"\"\"
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        parts = windows(x, kernel, strides, pads, dilations, lowest, ceil_mode)
        sizes = x.shape[2:]
        order = "F" if column_major else "C"
        places = np.arange(math.prod(sizes)).reshape(sizes, order=order) + np.zeros((1, 1, *sizes), np.int64)
        places = windows(places, kernel, strides, pads, dilations, -1, ceil_mode)
        flat = parts.reshape(*parts.shape[: 2 + len(kernel)], -1)
        places = np.broadcast_to(places.reshape(*places.shape[: 2 + len(kernel)], -1), flat.shape)
        best = np.argmax(np.where(places < 0, lowest, flat), axis=-1, keepdims=True)
        first = np.argmax(places >= 0, axis=-1, keepdims=True)
        best = np.where(np.take_along_axis(places, best, axis=-1) < 0, first, best)
        planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *[1] * len(kernel)) * math.prod(sizes)
        indices = np.take_along_axis(places, best, axis=-1)[..., 0] + planes
        return np.take_along_axis(flat, best, axis=-1)[..., 0], indices
    """)

  static let averagePool = NumpyFunction(
    "average_pool", uses: [.windows],
    """
    def average_pool(x, kernel, *, strides, pads, dilations, ceil_mode=False, count_include_pad=False):
        axes = tuple(range(-len(kernel), 0))
        inside = np.ones((1, 1, *x.shape[2:]), np.float32)
        if count_include_pad:
            rank = len(kernel)
            inside = np.pad(inside, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])], constant_values=1)
            counted = windows(inside, kernel, strides, [0] * 2 * rank, dilations, 0, ceil_mode)
        else:
            counted = windows(inside, kernel, strides, pads, dilations, 0, ceil_mode)
        sums = windows(x, kernel, strides, pads, dilations, 0, ceil_mode).sum(axis=axes, dtype=np.result_type(x, np.float32))
        counts = counted.sum(axis=axes)[(slice(None), slice(None), *(slice(0, size) for size in sums.shape[2:]))]
        return (sums / counts).astype(x.dtype)
    """)

  static let resizeTable = NumpyFunction(
    "resize_table",
    """
    def resize_table(size, output, scale, region, mode, coordinates, nearest, cubic, antialias, exclude_outside):
        \"\"\"For each position of the result along an axis: the elements it is made of, their weights, whether it is inside.\"\"\"
        i = np.arange(output, dtype=np.float64)
        length = scale * size
        start, end = region
        if coordinates == "align_corners":
            place = i * 0 if length == 1 else i * (size - 1) / (length - 1)
        elif coordinates == "asymmetric":
            place = i / scale
        elif coordinates == "tf_half_pixel_for_nn":
            place = (i + 0.5) / scale
        elif coordinates == "tf_crop_and_resize":
            step = i * 0 + (end - start) * (size - 1) / 2 if length == 1 else i * (end - start) * (size - 1) / (length - 1)
            place = start * (size - 1) + step
        elif coordinates == "pytorch_half_pixel" and length == 1:
            place = i * 0 - 0.5
        elif coordinates == "half_pixel_symmetric":
            place = size / 2 * (1 - output / length) + (i + 0.5) / scale - 0.5
        else:
            place = (i + 0.5) / scale - 0.5
        inside = (place >= 0) & (place <= size - 1)
        if mode == "nearest":
            index = {
                "floor": np.floor(place),
                "ceil": np.ceil(place),
                "round_prefer_ceil": np.floor(place + 0.5),
                "round_prefer_floor": np.ceil(place - 0.5),
            }[nearest]
            return np.clip(index, 0, size - 1).astype(np.int64)[:, None], np.ones((output, 1)), inside
        widening = min(scale, 1) if antialias else 1
        base = np.ceil(place) - 1
        first = math.floor(-(2 if mode == "cubic" else 1) / widening) + 1
        steps = np.arange(first, 2 - first)
        t = np.abs((steps - (place - base)[:, None]) * widening)
        if mode == "cubic":
            a = cubic
            near = ((a + 2) * t - (a + 3)) * t * t + 1
            far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
            weights = np.where(t <= 1, near, np.where(t < 2, far, 0))
        else:
            weights = np.maximum(0, 1 - t)
        index = base[:, None] + steps
        if exclude_outside:
            weights = np.where((index < 0) | (index > size - 1), 0, weights)
        if exclude_outside or antialias:
            weights = weights / weights.sum(axis=1, keepdims=True)
        return np.clip(index, 0, size - 1).astype(np.int64), weights, inside
    """)

  static let resize = NumpyFunction(
    "resize", uses: [.resizeTable],
    """
    def resize(
        x, axes, *, scales=None, sizes=None, roi=None, mode="nearest", coordinates="half_pixel",
        nearest="round_prefer_floor", cubic=-0.75, antialias=False, exclude_outside=False, extrapolation=0.0,
        aspect="stretch",
    ):
        shape = [x.shape[axis] for axis in axes]
        if sizes is None:
            outputs = [int(np.floor(size * np.float64(scale))) for size, scale in zip(shape, scales)]
        else:
            outputs = [int(size) for size in sizes]
            scales = [output / size if size else 1.0 for output, size in zip(outputs, shape)]
            if aspect != "stretch":
                scale = max(scales) if aspect == "not_smaller" else min(scales)
                scales = [scale] * len(axes)
                outputs = [math.floor(scale * size + 0.5) for size in shape]
        dtype = x.dtype
        for n, axis in enumerate(axes):
            scale, output = float(scales[n]), outputs[n]
            region = (0.0, 1.0) if roi is None else (float(roi[n]), float(roi[len(axes) + n]))
            if scale == 1 and output == shape[n] and region == (0.0, 1.0):
                continue
            index, weights, inside = resize_table(
                shape[n], output, scale, region, mode, coordinates, nearest, cubic, antialias, exclude_outside
            )
            parts = np.take(x, index, axis=axis)
            spread = [1] * (axis + 2) + [1] * (x.ndim - axis - 1)
            if mode == "nearest":
                x = parts.squeeze(axis + 1)
            else:
                spread[axis], spread[axis + 1] = weights.shape
                x = (parts * weights.reshape(spread)).sum(axis=axis + 1)
            if coordinates == "tf_crop_and_resize":
                x = np.where(inside.reshape([-1 if k == axis else 1 for k in range(x.ndim)]), x, np.array(extrapolation, x.dtype))
        if dtype.kind in "iu" and x.dtype != dtype:
            x = np.clip(np.rint(x), np.iinfo(dtype).min, np.iinfo(dtype).max)
        return x.astype(dtype)
    """)
}

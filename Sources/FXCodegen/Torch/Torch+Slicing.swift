import FXCore

extension TorchRows {
  mutating func addSlicing() {
    self[.split] = { call in
      let (axis, count) = (call[Split.axis], call.site.node.results.count)
      if count == 1 { return .expressions([call[0]]) }
      guard call.has(1) else {
        let size = try call.site.shape(0).flatMap {
          $0.dimensions[safe: call.site.axis(axis, rank: try call.site.knownRank(0))]?.size
        }
        let part: TorchExpression =
          size.map { .int(max(1, ($0 + count - 1) / count)) }
          ?? .either(
            python: "-(-\(call[0].primary(.python)).shape[\(axis)] // \(count))",
            cpp: "(\(call[0].primary(.cpp)).size(\(axis)) + \(count - 1)) / \(count)")
        let parts = TorchExpression.call("torch.split", [call[0], part, .keyed("dim", .int(axis))])
        return call.language == .python ? .tuple(parts) : .tuple(.name("tuple_of<\(count)>(\(parts.text(.cpp)))"))
      }
      let parts = TorchExpression.method(
        call[0], call.language == .python ? "split" : "split_with_sizes", [call.integers(1), .keyed("dim", .int(axis))])
      return call.language == .python ? .tuple(parts) : .tuple(.name("tuple_of<\(count)>(\(parts.text(.cpp)))"))
    }
    define(.slice) { call in
      guard let starts = call.site.integers(1), let ends = call.site.integers(2) else {
        let rank = call.site.shape(1)?.first?.size ?? 0
        let axes: TorchExpression = call.has(3) ? call.integers(3) : .ints(Array(0..<rank))
        let steps: TorchExpression = call.has(4) ? call.integers(4) : .ints(Array(repeating: 1, count: rank))
        return try call.call(.sliceAxes, [call[0], call.integers(1), call.integers(2), axes, steps])
      }
      let rank = try call.site.knownRank(0)
      let axes = call.has(3) ? try call.site.knownIntegers(3) : Array(starts.indices)
      let steps = call.has(4) ? try call.site.knownIntegers(4) : starts.map { _ in 1 }
      guard axes.count == starts.count, ends.count == starts.count, steps.count == starts.count else {
        throw NotExpressible("its lists differ in length")
      }
      var places = Array(repeating: TorchExpression.Place.all, count: rank)
      var flips: [Int] = []
      for (index, axis) in axes.enumerated() {
        let place = call.site.axis(axis, rank: rank)
        guard places.indices.contains(place) else { throw NotExpressible("axis \(axis) is out of range") }
        let size = call.site.shape(0)?[place].size
        var (start, end, step) = (starts[index], ends[index], steps[index])
        if step < 0 {
          // Backwards is forwards over the flipped axis, whose place i is the size − 1 − i.
          guard let size else { throw NotExpressible("a negative step over a size that only the run tells") }
          let first = min(start < 0 ? max(start + size, -1) : start, size - 1)
          let last = end < 0 ? max(end + size, -1) : min(end, size - 1)
          flips.append(place)
          (start, end, step) = (size - 1 - first, max(size - 1 - last, 0), -step)
        }
        // Exporters write the least and the largest integers for what is left out.
        let limit = size ?? Int(Int32.max)
        let isWholeStart = start == 0 || start <= -limit
        places[place] = .range(isWholeStart ? nil : .int(start), end >= limit ? nil : .int(end), step: step)
      }
      func isAll(_ place: TorchExpression.Place) -> Bool {
        switch place {
        case .all: true
        case .range(nil, nil, 1): true
        default: false
        }
      }
      while let last = places.last, isAll(last) { places.removeLast() }
      let x = flips.isEmpty ? call[0] : TorchExpression.call("torch.flip", [call[0], .ints(flips)])
      return places.isEmpty ? x : .subscript_(x, places.map { isAll($0) ? .all : $0 })
    }
    define(.pad) { call in
      let rank = try call.site.knownRank(0)
      let mode = call[Pad.mode]
      let axes = call.has(3) ? try call.site.knownIntegers(3).map { call.site.axis($0, rank: rank) } : Array(0..<rank)
      guard let pads = call.site.integers(1) else {
        guard mode == "constant", !call.has(3) else { throw NotExpressible("'pads' must be known when the code is written") }
        let value = call.has(2) ? call[2] : TorchExpression.null
        return try call.call(.padConstant, [call[0], .integers(call[1]), value])
      }
      guard pads.count == 2 * axes.count else { throw NotExpressible("pads do not fit the axes") }
      var (starts, ends) = (Array(repeating: 0, count: rank), Array(repeating: 0, count: rank))
      for (index, axis) in axes.enumerated() { (starts[axis], ends[axis]) = (pads[index], pads[index + axes.count]) }
      guard mode == "constant" else {
        return try axes.enumerated().reduce(call[0]) { x, axis in
          let (start, end) = (starts[axis.element], ends[axis.element])
          return start == 0 && end == 0
            ? x : try call.call(.padAxis, [x, .int(axis.element), .int(start), .int(end), .string(mode)])
        }
      }
      let value: TorchExpression? =
        !call.has(2)
        ? nil
        : call.site.number(2).map { call.isInteger ? .int(Int($0)) : .number($0) }
          ?? .item(call[2], call.site.elementType(2) ?? .float32)
      // Axes in front that stay are left out.
      let first = (0..<rank).first { starts[$0] != 0 || ends[$0] != 0 } ?? rank
      if first == rank { return call[0] }
      return .padded(call[0], Array(starts[first...]), Array(ends[first...]), with: value)
    }
  }
}

extension TorchFunction {
  static let sliceAxes = TorchFunction(
    "slice_axes",
    python: """
      def slice_axes(x, starts, ends, axes, steps):
          \"\"\"x cut along some axes, each from a start to an end by a step.\"\"\"
          for start, end, axis, step in zip(starts, ends, axes, steps):
              places = range(x.shape[axis])[slice(start, None if step < 0 and end < -x.shape[axis] else end, step)]
              x = x.index_select(axis, torch.tensor(places, dtype=torch.int64))
          return x
      """,
    cpp: """
      // x cut along some axes, each from a start to an end by a step.
      at::Tensor slice_axes(at::Tensor x, const std::vector<int64_t>& starts, const std::vector<int64_t>& ends,
                            const std::vector<int64_t>& axes, const std::vector<int64_t>& steps) {
        for (size_t i = 0; i < starts.size(); ++i) {
          const int64_t size = x.size(axes[i]), step = steps[i];
          const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
          const auto clamp = [&](int64_t place) { return std::clamp(place < 0 ? place + size : place, low, high); };
          const int64_t start = clamp(starts[i]), end = ends[i] < -size ? low : clamp(ends[i]);
          std::vector<int64_t> places;
          for (int64_t place = start; step > 0 ? place < end : place > end; place += step) places.push_back(place);
          x = x.index_select(axes[i], at::tensor(places, at::kLong));
        }
        return x;
      }
      """)

  static let padConstant = TorchFunction(
    "pad_constant",
    python: """
      def pad_constant(x, pads, value=None):
          \"\"\"F.pad with the counts of all axes: those before, then those after.\"\"\"
          pairs = [n for axis in reversed(range(x.ndim)) for n in (pads[axis], pads[axis + x.ndim])]
          return F.pad(x, pairs, value=0 if value is None else value.item())
      """,
    cpp: """
      // constant_pad_nd with the counts of all axes: those before, then those after.
      at::Tensor pad_constant(const at::Tensor& x, const std::vector<int64_t>& pads, const at::Tensor& value) {
        std::vector<int64_t> pairs;
        for (int64_t axis = x.dim() - 1; axis >= 0; --axis) pairs.insert(pairs.end(), {pads[axis], pads[axis + x.dim()]});
        return at::constant_pad_nd(x, pairs, value.defined() ? value.item() : at::Scalar(0));
      }
      """)

  static let padAxis = TorchFunction(
    "pad_axis",
    python: """
      def pad_axis(x, axis, start, end, mode):
          \"\"\"Elements added before and after an axis that are those inside: mirrored, the edge's, or the other end's.\"\"\"
          size = x.shape[axis]
          places = torch.arange(-start, size + end)
          if mode == "edge":
              places = places.clamp(0, size - 1)
          elif mode == "wrap":
              places = places % size
          else:
              period = max(1, 2 * size - 2)
              places = places % period
              places = torch.minimum(places, period - places) if size > 1 else places * 0
          return x.index_select(axis, places)
      """,
    cpp: """
      // Elements added before and after an axis that are those inside: mirrored, the edge's, or the other end's.
      at::Tensor pad_axis(const at::Tensor& x, int64_t axis, int64_t start, int64_t end, const std::string& mode) {
        const int64_t size = x.size(axis), period = std::max<int64_t>(1, 2 * size - 2);
        auto places = at::arange(-start, size + end, at::kLong);
        if (mode == "edge") places = at::clamp(places, 0, size - 1);
        else if (mode == "wrap") places = at::remainder(places, size);
        else {
          places = at::remainder(places, period);
          places = size > 1 ? at::minimum(places, period - places) : places * 0;
        }
        return x.index_select(axis, places);
      }
      """)
}

import FXCore

extension NumpyRows {
  mutating func addImage() {
    define(.resize) { call in
      let axes = try call[Resize.axes] ?? Array(0..<call.site.knownRank(0))
      let rank = try call.site.knownRank(0)
      var arguments = [call[0], NumpyCall.tuple(axes.map { call.site.axis($0, rank: rank) })]
      let hasSizes = call.has(3) && (call.site.shape(3)?.first?.size != 0)
      arguments.append(hasSizes ? "sizes=\(call.tuple(3))" : "scales=\(call.scales)")
      let (mode, coordinates) = (call[Resize.mode], call[Resize.coordinates])
      if call[Resize.antialias], mode == "nearest" { throw NotExpressible("the nearest element has no filter to widen") }
      if coordinates == "tf_crop_and_resize" { arguments.append("roi=\(call[1])") }
      if mode != "nearest" { arguments.append("mode=\"\(mode)\"") }
      if coordinates != "half_pixel" { arguments.append("coordinates=\"\(coordinates)\"") }
      if mode == "nearest", call[Resize.nearestMode] != "round_prefer_floor" {
        arguments.append("nearest=\"\(call[Resize.nearestMode])\"")
      }
      if mode == "cubic", call[Resize.cubicCoefficient] != -0.75 { arguments.append("cubic=\(call[Resize.cubicCoefficient])") }
      if call[Resize.antialias] { arguments.append("antialias=True") }
      if call[Resize.excludeOutside] { arguments.append("exclude_outside=True") }
      if coordinates == "tf_crop_and_resize" { arguments.append("extrapolation=\(call[Resize.extrapolation])") }
      if hasSizes, call[Resize.aspect] != "stretch" { arguments.append("aspect=\"\(call[Resize.aspect])\"") }
      return "\(call.use(.resize))(\(arguments.joined(separator: ", ")))"
    }
    define(.nonMaxSuppression) { call in
      func item(_ index: Int, _ missing: String) -> String {
        guard call.has(index) else { return missing }
        if let integer = call.site.integers(index)?.first { return "\(integer)" }
        return call.site.number(index).map { NumpyTypes.number($0, .float32) } ?? "\(call.primary(index)).item()"
      }
      let limits = [item(2, "0"), item(3, "0"), item(4, "-np.inf")].joined(separator: ", ")
      let centered = call[NonMaxSuppression.isCentered] ? ", centered=True" : ""
      return "\(call.use(.nonMaxSuppression))(\(call[0]), \(call[1]), \(limits)\(centered))"
    }
  }
}

extension NumpyFunction {
  static let nonMaxSuppression = NumpyFunction(
    "non_max_suppression",
    """
    def non_max_suppression(boxes, scores, limit, iou_threshold, score_threshold, centered=False):
        \"\"\"Rows of batch, class and box: the best boxes of each class that do not overlap a better one.\"\"\"
        first, second = boxes[..., :2], boxes[..., 2:]
        if centered:
            low, high = first - second / 2, first + second / 2
        else:
            low, high = np.minimum(first, second), np.maximum(first, second)
        areas = (high - low).prod(-1)
        chosen = []
        for batch, of_classes in enumerate(scores):
            for kind, row in enumerate(of_classes):
                rest = np.argsort(-row, kind="stable")
                rest = rest[row[rest] > score_threshold]
                for _ in range(min(limit, len(rest))):
                    if len(rest) == 0:
                        break
                    best, rest = rest[0], rest[1:]
                    chosen.append((batch, kind, best))
                    top = np.minimum(high[batch, best], high[batch, rest])
                    shared = np.maximum(top - np.maximum(low[batch, best], low[batch, rest]), 0).prod(-1)
                    with np.errstate(invalid="ignore"):
                        overlap = shared / (areas[batch, best] + areas[batch, rest] - shared)
                    rest = rest[~(overlap > iou_threshold)]
        return np.array(chosen, dtype=np.int64).reshape(-1, 3)
    """)
}

extension NumpyCall {
  fileprivate var scales: String {
    guard let numbers = try? site.constant(2)?.numbers().doubles else { return self[2] }
    return "(" + numbers.map { NumpyTypes.number($0, .float32) }.joined(separator: ", ") + (numbers.count == 1 ? ",)" : ")")
  }
}

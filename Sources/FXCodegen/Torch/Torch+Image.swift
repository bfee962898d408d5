import FXCore

extension TorchRows {
  mutating func addImage() {
    define(.resize) { call in
      // Images and channels may be as many as they like.
      let rank = try call.site.knownRank(0)
      let outer = Array(repeating: 1, count: min(rank, 2))
      guard let types = call.site.shape(0), let resultTypes = call.site.resultType()?.shape, resultTypes.rank == rank,
        types.prefix(2).elementsEqual(resultTypes.prefix(2)), !types.prefix(2).contains(where: \.isUnknown),
        let inner = Shape(Array(types.dimensions.dropFirst(2))).sizes,
        let innerResult = Shape(Array(resultTypes.dimensions.dropFirst(2))).sizes
      else { throw NotExpressible("the sizes of the resized axes must be numbers") }
      let (shape, result) = (outer + inner, outer + innerResult)
      let (mode, coordinates) = (call[Resize.mode], call[Resize.coordinates])
      guard (3...5).contains(shape.count), !call[Resize.antialias],
        !call[Resize.excludeOutside], call[Resize.aspect] == "stretch", !(call.site.elementType(0)?.isInteger ?? true)
      else { throw NotExpressible("F.interpolate resizes the axes after the channels, without filters") }
      // Scales that do not give whole sizes are not the ratio of the sizes, from which F.interpolate starts.
      if !call.has(3) || call.site.shape(3)?.first?.size == 0 {
        let scales = try call.site.constant(2)?.numbers().doubles ?? []
        // The outer axes stand as 1 on both sides.
        let axes = call[Resize.axes]?.map { call.site.axis($0, rank: shape.count) } ?? Array(shape.indices)
        guard scales.count == axes.count, zip(axes, scales).allSatisfy({ Double(result[$0]) == Double(shape[$0]) * $1 }) else {
          throw NotExpressible("the scales are not the ratios of the sizes")
        }
      }
      let size = TorchExpression.keyed("size", .ints(Array(result[2...])))
      let isHalfPixel = coordinates == "half_pixel" || (coordinates == "pytorch_half_pixel" && !result.contains(1))
      switch (mode, coordinates) {
      case ("nearest", "asymmetric") where call[Resize.nearestMode] == "floor":
        if call.language == .cpp {
          return .call("at::upsample_nearest\(shape.count - 2)d", [call[0], .ints(Array(result[2...]))])
        }
        return .call("F.interpolate", [call[0], size])
      case ("linear", _) where (isHalfPixel || coordinates == "align_corners") && call.language == .python:
        let name = ["linear", "bilinear", "trilinear"][shape.count - 3]
        let corners: [TorchExpression] = coordinates == "align_corners" ? [.keyed("align_corners", true)] : []
        return .call("F.interpolate", [call[0], size, .keyed("mode", .string(name))] + corners)
      default: throw NotExpressible("F.interpolate has no such coordinates")
      }
    }
    define(.nonMaxSuppression) { call in
      func number(_ index: Int, _ missing: Double) -> TorchExpression {
        call.has(index) ? call.site.number(index).map { .number($0) } ?? .item(call[index], .float32) : .number(missing)
      }
      return try call.call(
        .nonMaxSuppression,
        [
          call[0], call[1], call.has(2) ? call.integer(2) : 0, number(3, 0), number(4, -.infinity),
          .bool(call[NonMaxSuppression.isCentered]),
        ])
    }
  }
}

extension TorchFunction {
  static let nonMaxSuppression = TorchFunction(
    "non_max_suppression",
    python: """
      def non_max_suppression(boxes, scores, limit, iou_threshold, score_threshold, centered):
          \"\"\"Rows of batch, class and box: the best boxes of each class that do not overlap a better one.\"\"\"
          first, second = boxes.split(2, dim=-1)
          if centered:
              low, high = first - second / 2, first + second / 2
          else:
              low, high = torch.minimum(first, second), torch.maximum(first, second)
          areas = (high - low).prod(-1)
          chosen = []
          for batch, of_classes in enumerate(scores):
              for kind, row in enumerate(of_classes):
                  rest = torch.argsort(row, descending=True, stable=True)
                  rest = rest[row[rest] > score_threshold]
                  for _ in range(min(limit, len(rest))):
                      if len(rest) == 0:
                          break
                      best, rest = rest[0], rest[1:]
                      chosen.append((batch, kind, int(best)))
                      top = torch.minimum(high[batch, best], high[batch, rest])
                      shared = (top - torch.maximum(low[batch, best], low[batch, rest])).clamp(min=0).prod(-1)
                      overlap = shared / (areas[batch, best] + areas[batch, rest] - shared)
                      rest = rest[~(overlap > iou_threshold)]
          return torch.tensor(chosen, dtype=torch.int64).reshape(-1, 3)
      """,
    cpp: """
      // Rows of batch, class and box: the best boxes of each class that do not overlap a better one.
      at::Tensor non_max_suppression(const at::Tensor& boxes, const at::Tensor& scores, int64_t limit, double iou_threshold,
                                     double score_threshold, bool centered) {
        const auto first = boxes.slice(-1, 0, 2), second = boxes.slice(-1, 2, 4);
        const auto low = centered ? first - second / 2 : at::minimum(first, second);
        const auto high = centered ? first + second / 2 : at::maximum(first, second);
        const auto areas = (high - low).prod(-1);
        std::vector<int64_t> chosen;
        for (int64_t batch = 0; batch < scores.size(0); ++batch) {
          for (int64_t kind = 0; kind < scores.size(1); ++kind) {
            const auto row = scores[batch][kind];
            auto rest = at::argsort(row, /*stable=*/true, 0, /*descending=*/true);
            rest = rest.index({row.index({rest}) > score_threshold});
            for (int64_t turn = 0; turn < limit && rest.size(0) > 0; ++turn) {
              const int64_t best = rest[0].item<int64_t>();
              rest = rest.slice(0, 1);
              chosen.insert(chosen.end(), {batch, kind, best});
              const auto top = at::minimum(high[batch][best], high[batch].index({rest}));
              const auto shared = (top - at::maximum(low[batch][best], low[batch].index({rest}))).clamp_min(0).prod(-1);
              const auto overlap = shared / (areas[batch][best] + areas[batch].index({rest}) - shared);
              rest = rest.index({at::logical_not(overlap > iou_threshold)});
            }
          }
        }
        return at::tensor(chosen, at::kLong).reshape({-1, 3});
      }
      """)
}

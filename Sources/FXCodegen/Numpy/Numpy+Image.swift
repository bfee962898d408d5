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
  }
}

extension NumpyCall {
  fileprivate var scales: String {
    guard let numbers = try? site.constant(2)?.numbers().doubles else { return self[2] }
    return "(" + numbers.map { NumpyTypes.number($0, .float32) }.joined(separator: ", ") + (numbers.count == 1 ? ",)" : ")")
  }
}

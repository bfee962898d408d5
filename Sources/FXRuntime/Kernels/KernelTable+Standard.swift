extension KernelTable {
  /// The fast kernels of this framework. What is not here runs on the reference kernels.
  public static let standard: KernelTable = {
    var table = KernelTable()
    table.addViews()
    return table
  }()
}

import ArgumentParser

@main struct FX: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "fx", abstract: "Neural-network graphs: inspect, optimize, run, convert.")
}

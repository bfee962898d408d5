extension NumpyTarget: VerifiableTarget {
  /// Programs run in one process of the environment's Python, and are skipped where that lacks NumPy.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    PythonRunner(environment: environment, packages: ["numpy"], adapter: NumpyTarget.adapter, storage: NumpyTypes.storage)
  }

  private static let adapter = """
    import importlib.util

    import numpy as np


    def load(folder, name, inputs):
        specification = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        results = getattr(module, name)(*inputs)
        return results if isinstance(results, tuple) else (results,)


    def decode(array, type):
        return array


    def encode(value):
        return np.asarray(value), None

    """
}

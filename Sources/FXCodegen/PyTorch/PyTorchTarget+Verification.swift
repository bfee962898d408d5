extension PyTorchTarget: VerifiableTarget {
  /// Programs run in one process of the environment's Python, and are skipped where that lacks PyTorch or NumPy.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    PythonRunner(
      environment: environment, packages: ["numpy", "torch"], adapter: PyTorchTarget.adapter, storage: TorchTypes.storage)
  }

  private static let adapter = """
    import importlib.util

    import numpy as np
    import torch

    TYPES = {
        "bf16": torch.bfloat16,
        "f8e4m3fn": torch.float8_e4m3fn,
        "f8e4m3fnuz": torch.float8_e4m3fnuz,
        "f8e5m2": torch.float8_e5m2,
        "f8e5m2fnuz": torch.float8_e5m2fnuz,
    }
    NAMES = {dtype: name for name, dtype in TYPES.items()}


    def load(folder, name, inputs):
        specification = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        with torch.no_grad():
            results = module.load()(*inputs)
        return results if isinstance(results, tuple) else (results,)


    def decode(array, type):
        tensor = torch.from_numpy(np.array(array))
        return tensor.to(TYPES.get(type, tensor.dtype))


    def encode(value):
        name = NAMES.get(value.dtype)
        return (value.float() if name else value).numpy(), name

    """
}

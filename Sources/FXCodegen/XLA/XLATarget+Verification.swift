extension XLATarget: VerifiableTarget {
  /// Programs run in one process of the environment's Python, and are skipped where that lacks JAX or NumPy.
  public func makeRunner(_ environment: RunnerEnvironment) -> any ProgramRunner {
    PythonRunner(
      environment: environment, packages: ["numpy", "jax"], adapter: XLATarget.adapter, storage: { $0 })
  }

  private static let adapter = """
    import os

    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    jax.config.update("jax_enable_x64", True)
    import ml_dtypes
    import numpy as np
    from jax.extend.backend import get_backend
    from jaxlib import xla_client

    TYPES = {
        "bf16": ml_dtypes.bfloat16,
        "f8e4m3fn": ml_dtypes.float8_e4m3fn,
        "f8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
        "f8e5m2": ml_dtypes.float8_e5m2,
        "f8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    }
    NAMES = {np.dtype(dtype): name for name, dtype in TYPES.items()}
    BACKEND = get_backend("cpu")
    ELEMENTS = {"bf16": "bf16", "f8E4M3FN": "f8e4m3fn", "f8E4M3FNUZ": "f8e4m3fnuz", "f8E5M2": "f8e5m2", "f8E5M2FNUZ": "f8e5m2fnuz"}


    def load(folder, name, inputs):
        with open(f"{folder}/{name}.mlir") as file:
            text = file.read()
        path = f"{folder}/{name}.npz"
        weights = np.load(path) if os.path.exists(path) else {}
        types = next(line for line in text.splitlines() if "@main(" in line).split("@main(")[1].split(") -> ")[0].split(", %")
        arrays = list(inputs)
        for number in range(len(inputs), len(inputs) + len(weights)):
            element = types[number].split("<")[1].split(">")[0].split("x")[-1]
            arrays.append(decode(weights[f"argument_{number}"], ELEMENTS.get(element)))
        devices = xla_client.DeviceList(tuple(BACKEND.local_devices()[:1]))
        executable = BACKEND.compile_and_load(text, devices, xla_client.CompileOptions())
        results = executable.execute_sharded([jax.device_put(array) for array in arrays])
        return tuple(np.asarray(parts[0]) for parts in results.disassemble_into_single_device_arrays())


    def decode(array, type):
        return array.astype(TYPES[type]) if type in TYPES else array


    def encode(value):
        name = NAMES.get(value.dtype)
        return value.astype(np.float32) if name else value, name

    """
}

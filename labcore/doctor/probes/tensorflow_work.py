"""TensorFlow: sums, conversion to TFLite, pruning, and living in one process with PyTorch."""

import os
from typing import Any

from labcore.doctor.probes.outcome import WrongResult, need

__all__ = ["after_torch", "before_torch", "convert", "multiply", "prune"]


def multiply() -> dict[str, Any]:
    """Multiplies matrices on each device, against NumPy in float64."""
    tf, np = need("tensorflow", "numpy")
    random = np.random.default_rng(0)
    left, right = random.normal(size=(64, 96)), random.normal(size=(96, 48))
    gpus = tf.config.list_physical_devices("GPU")
    devices = ["/CPU:0", *(f"/GPU:{index}" for index in range(len(gpus)))]
    for device in devices:
        with tf.device(device):
            product = tf.matmul(tf.constant(left, tf.float32), tf.constant(right, tf.float32))
        error = np.linalg.norm(product.numpy() - left @ right) / np.linalg.norm(left @ right)
        if not error < 2e-3:  # a GPU may take TF32 for float32
            raise WrongResult(f"a matrix product on {device} is off by {error:.2g}")
    build = tf.sysconfig.get_build_info()
    return {
        "tensorflow": tf.__version__,
        "gpus": [gpu.name for gpu in gpus],
        "built_with_cuda": bool(build.get("is_cuda_build", tf.test.is_built_with_cuda())),
    }


def after_torch() -> dict[str, Any]:
    """Loads PyTorch, then TensorFlow, and uses both."""
    return _together("torch", "tensorflow")


def before_torch() -> dict[str, Any]:
    """Loads TensorFlow, then PyTorch, and uses both."""
    return _together("tensorflow", "torch")


def _together(*order: str) -> dict[str, Any]:
    modules = dict(zip(order, need(*order), strict=True))
    torch, tf = modules["torch"], modules["tensorflow"]
    answers = []
    for name in order:
        if name == "torch":
            device = "cuda" if torch.cuda.is_available() else "cpu"
            numbers = torch.arange(6.0, device=device, requires_grad=True)
            (numbers**2).sum().backward()
            answers.append(float(numbers.grad.sum()))
        else:
            with tf.GradientTape() as tape:
                numbers = tf.Variable(tf.range(6.0))
                square = tf.reduce_sum(numbers**2)
            answers.append(float(tf.reduce_sum(tape.gradient(square, numbers))))
    if answers != [30.0, 30.0]:  # 2 * (0 + 1 + ... + 5)
        raise WrongResult(f"the gradients add up to {answers}, not 30 in each")
    return {"torch": torch.__version__, "tensorflow": tf.__version__}


def convert() -> dict[str, Any]:
    """Converts a small function to TFLite and runs it in the interpreter."""
    tf, np = need("tensorflow", "numpy")
    weight = tf.constant(np.random.default_rng(0).normal(size=(8, 4)), tf.float32)

    class Layer(tf.Module):  # type: ignore[misc,name-defined]  # TensorFlow is not there to be typed
        @tf.function(input_signature=[tf.TensorSpec([1, 8], tf.float32)])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return tf.nn.relu(tf.matmul(x, weight))

    layer = Layer()
    function = layer.__call__.get_concrete_function()
    model = tf.lite.TFLiteConverter.from_concrete_functions([function], layer).convert()
    interpreter = tf.lite.Interpreter(model_content=model)
    interpreter.allocate_tensors()
    given = np.linspace(-1, 1, 8, dtype=np.float32)[None]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], given)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    exact = np.maximum(given.astype(np.float64) @ weight.numpy(), 0)
    error = float(np.abs(found - exact).max())
    if not error < 1e-5:
        raise WrongResult(f"the converted model is off by {error:.2g}")
    return {"bytes": len(model), "error": error}


def prune() -> dict[str, Any]:
    """Prunes half of a layer's weights with the model optimization toolkit and legacy Keras."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # read when TensorFlow is imported
    tf, tfmot, np = need("tensorflow", "tensorflow_model_optimization", "numpy")
    need("tf_keras")
    model = tf.keras.Sequential([tf.keras.layers.Dense(16, input_shape=(8,))])
    schedule = tfmot.sparsity.keras.ConstantSparsity(0.5, begin_step=0, frequency=1)
    pruned = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    pruned.compile(optimizer="sgd", loss="mse")
    x = np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32)
    step = tfmot.sparsity.keras.UpdatePruningStep()
    pruned.fit(x, np.zeros((16, 16), np.float32), epochs=2, verbose=0, callbacks=[step])
    kernel = tfmot.sparsity.keras.strip_pruning(pruned).get_weights()[0]
    zeros = float((kernel == 0).mean())
    if abs(zeros - 0.5) > 0.05:
        raise WrongResult(f"pruning to one half made {zeros:.0%} of the weights zero")
    return {"zeros": zeros}

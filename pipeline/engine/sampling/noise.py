"""What a model's schedule of noise is, from its files and the catalogue, and whether Easel can draw by it."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.marks import NO_MARKS, Marks
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.samplers import NoiseSchedule, Prediction, SamplerKind

_PREDICTIONS: Final[Mapping[str, Prediction]] = {
    "epsilon": "epsilon",
    "v_prediction": "v_prediction",
    "sample": "sample",
}
_BENDS: Final = (
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "invert_sigmas",
    "shift_terminal",
    "stochastic_sampling",
)
"""What only one class of flow matching knows beside the shift."""


def schedule_changes(spec: ModelSpec, marks: Marks = NO_MARKS) -> dict[str, Any]:
    """What stands otherwise in the scheduler's configuration than its file says: the catalogue first, then marks."""
    prediction = spec.prediction or marks.prediction
    zero_snr = marks.zero_snr if spec.zero_snr is None else spec.zero_snr
    changes = {"prediction_type": prediction, "rescale_betas_zero_snr": zero_snr}
    return {key: value for key, value in changes.items() if value is not None}


def read_schedule(kind: SamplerKind, config: Mapping[str, Any]) -> NoiseSchedule:
    """What a sampler must honour.

    Args:
        kind: of the model's family.
        config: the scheduler's configuration, with its changes.

    Raises:
        ModelUnavailable: no sampler of the kind knows such a schedule.
    """
    name = str(config.get("_class_name", ""))
    if kind == "flow":
        if name and not name.startswith("FlowMatch"):
            raise ModelUnavailable(f"The model's scheduler is a {name}, but its family in the catalogue matches flows.")
        return NoiseSchedule(is_bent=any(config.get(key) for key in _BENDS))
    if name.startswith(("FlowMatch", "EDM")) or config.get("use_flow_sigmas"):
        raise ModelUnavailable(f"The model's scheduler is a {name}, whose noise no sampler of its family knows.")
    said = config.get("prediction_type", "epsilon")
    prediction = _PREDICTIONS.get(said) if isinstance(said, str) else None
    if prediction is None:
        known = ", ".join(_PREDICTIONS)
        raise ModelUnavailable(
            f"The model's prediction type is {said!r} in its scheduler_config.json, which no sampler knows; these are "
            f"known: {known}. If you know which it is, set prediction in the catalogue."
        )
    return NoiseSchedule(prediction=prediction, is_zero_snr=bool(config.get("rescale_betas_zero_snr")))


def change_scheduler(scheduler: Any, changes: Mapping[str, Any]) -> None:
    """Write changes into a loaded scheduler's configuration, from which every sampler is built."""
    if changes:
        # What is listed here is taken for nobody's wish when another class is built from the configuration.
        unset = [name for name in scheduler.config.get("_use_default_values", ()) if name not in changes]
        scheduler.register_to_config(**changes, _use_default_values=unset)

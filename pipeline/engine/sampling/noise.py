"""A model's noise schedule from its files and the catalogue, and a check that a sampler supports it."""

from collections.abc import Mapping
from typing import Any, Final

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.marks import NO_MARKS, Marks
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.samplers.sampler import NoiseSchedule, Prediction, SamplerKind

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
"""Options that only one flow matching scheduler of diffusers supports."""


def schedule_changes(spec: ModelSpec, marks: Marks = NO_MARKS) -> dict[str, Any]:
    """Changes to the scheduler's configuration: from the catalogue, otherwise from the checkpoint's marks."""
    prediction = spec.prediction or marks.prediction
    zero_snr = marks.zero_snr if spec.zero_snr is None else spec.zero_snr
    changes = {"prediction_type": prediction, "rescale_betas_zero_snr": zero_snr}
    return {key: value for key, value in changes.items() if value is not None}


def read_schedule(kind: SamplerKind, config: Mapping[str, Any]) -> NoiseSchedule:
    """Noise schedule that a sampler must support.

    Args:
        kind: sampler kind of the model's family.
        config: the scheduler's configuration after `schedule_changes`.

    Raises:
        ModelUnavailable: no sampler of this kind supports the schedule.
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
    """Write changes into a loaded scheduler's configuration; every sampler is built from it."""
    if changes:
        # diffusers ignores options in this list when it builds another class from the configuration.
        unset = [name for name in scheduler.config.get("_use_default_values", ()) if name not in changes]
        scheduler.register_to_config(**changes, _use_default_values=unset)

"""Splits a network of OpenVINO: what depends only on steady inputs is computed once, and not in each step.

The text's keys and values of cross-attention are the largest such part, and the hint's layers of a control net.
"""

from collections.abc import Collection
from typing import Any, Final

_CONSTANT, _STEADY, _CHANGING = range(3)
_PARAMETER: Final = "Parameter"


def split(model: Any, steady: Collection[int]) -> tuple[Any, Any] | None:
    """Split an `openvino.Model` with fixed shapes, which it takes apart.

    Args:
        model: the network.
        steady: indexes of inputs that seldom change.

    Returns:
        The part that reads the steady inputs alone, and the part that reads the others and then the results of the
        first, each with its inputs in the order of the network's. None when no input is steady, or none changes.
    """
    import openvino  # noqa: PLC0415 - an optional package
    from openvino import opset13  # noqa: PLC0415 - as above

    operations: Any = opset13
    make_model: Any = openvino.Model
    parameters = [port.get_node() for port in model.inputs]
    if not 0 < len(steady) < len(parameters):
        return None
    kinds = _kinds(model, {_name(parameters[place]) for place in steady}, operations)
    results: list[Any] = []
    given: list[Any] = []
    for node in model.get_ordered_ops():
        for output in node.outputs() if kinds[_name(node)] == _STEADY else ():
            targets = [each for each in output.get_target_inputs() if kinds[_name(each.get_node())] == _CHANGING]
            if targets:
                results.append(operations.result(output))
                given.append(operations.parameter(output.get_partial_shape(), output.get_element_type()))
            for target in targets:
                target.replace_source_output(given[-1].output(0))
    first = make_model(results, [parameters[place] for place in sorted(steady)], "steady")
    changing = [parameter for place, parameter in enumerate(parameters) if place not in steady]
    return first, make_model(model.get_results(), [*changing, *given], "changing")


def _kinds(model: Any, steady: Collection[str], operations: Any) -> dict[str, int]:
    """What each node's outputs depend on, by its name, when these parameters are steady.

    Shapes are fixed, so they become constants: otherwise every shape of a steady tensor would be an input.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == "ShapeOf":
            output = node.output(0)
            shape = operations.constant([*node.input(0).get_shape()], dtype=output.get_element_type())
            for target in output.get_target_inputs():
                target.replace_source_output(shape.output(0))
    kinds: dict[str, int] = {}
    for node in model.get_ordered_ops():
        name = _name(node)
        if node.get_type_name() == _PARAMETER:
            kinds[name] = _STEADY if name in steady else _CHANGING
        else:
            sources = (kinds[_name(each.get_source_output().get_node())] for each in node.inputs())
            kinds[name] = max(sources, default=_CONSTANT)
    return kinds


def _name(node: Any) -> str:
    return node.get_friendly_name()

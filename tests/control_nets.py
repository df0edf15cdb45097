"""An entry of the catalogue that several tests change: a control net whose files are nowhere."""

from typing import Final

from pipeline.protocol.catalogue.networks import ControlSpec, FolderSource

CANNY: Final = ControlSpec(
    key="canny",
    title="Lines",
    source=FolderSource(path="/nets/canny"),
    family="sd",
    kind="controlnet",
    use="lines",
    preprocessor="canny",
    license="OpenRAIL",
)

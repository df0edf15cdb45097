"""What all areas of the settings have in common."""

from pydantic import BaseModel, ConfigDict


class Area(BaseModel):
    """One table of the settings file. An unknown name is an error, since it is usually a spelling mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

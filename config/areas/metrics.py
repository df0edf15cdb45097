"""Settings of the figures that Easel serves for monitoring."""

from pydantic import Field

from config.areas.area import Area


class MetricsSettings(Area):
    """Figures for Prometheus, and health for a load balancer."""

    listen: str = Field(
        default="",
        pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):[0-9]{1,5}$",
        description='Address of /metrics, /healthz and /readyz, such as "127.0.0.1:9464"; empty = not served.',
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port; None if nothing is served."""
        host, _, port = self.listen.rpartition(":")
        return (host.strip("[]"), int(port)) if self.listen else None

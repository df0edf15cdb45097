"""What a member reads about their quota."""

from bot.jobs.accepting import QuotaState
from bot.presenting.escaping import relative
from bot.presenting.texts import text


def quota_lines(state: QuotaState, price: int) -> str:
    """Left, used, in flight, when it starts anew, and what one image costs."""
    if state.limit is None or state.left is None:
        return text("quota-unlimited")
    return "\n".join(
        [
            f"**{text('quota-state', left=state.left, limit=state.limit)}**",
            text("quota-used", used=state.used - state.in_flight),
            text("quota-in-flight", in_flight=state.in_flight),
            text("quota-resets", resets=relative(state.resets_at)),
            text("quota-price", price=price),
        ]
    )

"""A member's quota, and refusals about it. Both come from one standing."""

from bot.errors import Refused
from bot.presenting.escaping import relative
from bot.presenting.refusal import sentence_of
from bot.presenting.texts import text
from bot.quotas.standing import Bonus, Obstacle, Standing


def refusal(standing: Standing) -> Refused:
    """The refusal for a standing with an obstacle."""
    until = "never" if standing.until is None else relative(standing.until)
    price, limit = standing.price, standing.limit or 0
    values: dict[Obstacle | None, dict[str, str | int]] = {
        Obstacle.BLOCKED: {"until": until, "reason": standing.reason or "none"},
        Obstacle.COOLDOWN: {"until": until},
        Obstacle.QUEUED: {"count": standing.queued},
        Obstacle.TOO_BIG: {"price": price, "limit": limit},
        Obstacle.QUOTA: {"price": price, "left": standing.left or 0, "limit": limit, "resets": until},
        Obstacle.POOL: {"price": price, "resets": until},
    }
    return Refused(f"refused-{standing.obstacle}", **values.get(standing.obstacle, {}))


def quota_lines(standing: Standing) -> str:
    """Units left, bonuses, used, in flight, the next reset, the price of one image, and the obstacle, if any."""
    lines: list[str] = []
    if standing.limit is None or standing.left is None:
        lines.append(text("quota-unlimited"))
    else:
        state = text("quota-state", left=standing.left, limit=standing.limit, period=standing.period)
        lines.append(f"**{state}**")
        if standing.bonuses:
            lines.append(text("quota-bonuses", bonuses=", ".join(_bonus(bonus) for bonus in standing.bonuses)))
    lines.append(text("quota-used", used=standing.spent))
    lines.append(text("quota-in-flight", in_flight=standing.in_flight))
    if standing.limit is not None:
        lines.append(text("quota-resets", resets=relative(standing.resets_at)))
        lines.append(text("quota-price", price=standing.price))
    if standing.obstacle is not None:
        lines.append(text("quota-obstacle", sentence=sentence_of(refusal(standing))))
    return "\n".join(lines)


def _bonus(bonus: Bonus) -> str:
    if bonus.expires_at is None:
        return text("quota-bonus", left=bonus.left)
    return text("quota-bonus-ends", left=bonus.left, ends=relative(bonus.expires_at))

"""The page's files with Easel's name, and with a few changes of behaviour.

SimCord's page shows a scenario to its author; here people use it all day. Each replacement has its reason. A test
finds every replaced text in the pinned version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aiohttp import web
from simcord.preview._server import PreviewServer

from playground.bridge.cdn import ICON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECT = ":direct"
"""Suffix that the page appends to a person's id to ask for their direct messages."""

BRANDING = (
    ("<title>SimCord Preview</title>", "<title>Easel playground</title>"),
    ('aria-label="SimCord preview"', 'aria-label="Easel playground"'),
    (
        '<span class="brand-mark" aria-hidden="true">S</span>',
        '<img class="brand-mark" src="/icon.png" alt="">',
    ),
    (
        "<strong>SimCord</strong><small>Preview</small>",
        "<strong>Easel</strong><small>playground, shown by SimCord</small>",
    ),
    ("</head>", '<link rel="icon" href="/icon.png"><link rel="stylesheet" href="/easel.css"></head>'),
    ("End preview session", "End the playground"),
    (
        '<button id="refresh"',
        '<button id="direct-messages" class="toolbar-button" type="button" hidden></button><button id="refresh"',
    ),
)

DIRECT_MESSAGES = (
    (
        "function updatePickers(snapshot) {",
        """function updatePickers(snapshot) {
  const isDirect = Boolean(snapshot.channel?.recipient);
  $("direct-messages").hidden = !isDirect && !snapshot.directMessages;
  $("direct-messages").textContent = isDirect ? "Back to the channel"
    : `Direct messages (${snapshot.directMessages})`;""",
    ),
    (
        'ui.viewer.addEventListener("change"',
        f"""$("direct-messages").addEventListener("click", () => dispatch("viewer", {{
  viewer_id: state.snapshot?.channel?.recipient ? ui.viewer.value : `${{ui.viewer.value}}{DIRECT}`,
}}));
ui.viewer.addEventListener("change\"""",
    ),
)
"""A button switches to the direct messages of the chosen person, and back."""

FOLLOWING = (
    (
        "function dispatch(kind, extra = {}, metadata = null) {",
        """function dispatch(kind, extra = {}, metadata = null) {
  if (["run_command", "send_message"].includes(kind)) timeline.follow();""",
    ),
)
"""One's own command scrolls into view."""

STAYING_AT_THE_END = (
    (
        "let correction = null;",
        """let correction = null;
  let lastTop = 0;""",
    ),
    (
        """if (!state.ready && state.scrollIntent?.policy === "target") return;""",
        """const isUpwards = ui.timeline.scrollTop < lastTop;
    lastTop = ui.timeline.scrollTop;
    if (!isUpwards && state.scrollIntent?.policy === "bottom") return;
    if (!state.ready && state.scrollIntent?.policy === "target") return;""",
    ),
    (
        """if (state.scrollIntent?.policy !== "target") state.scrollIntent = captureScrollIntent();""",
        """if (!["target", "bottom"].includes(state.scrollIntent?.policy)) {
        state.scrollIntent = captureScrollIntent();
      }""",
    ),
    (
        ": state.scrollIntent || captureScrollIntent();",
        """: state.scrollIntent || (previousIds.length ? captureScrollIntent() : { policy: "bottom" });""",
    ),
    (
        "reset, dispose: () => {",
        """follow: () => {
      state.scrollIntent = { policy: "bottom" };
      ui.newMessages.hidden = true;
      reconcileScrollIntent();
    },
    reset, dispose: () => {""",
    ),
)
"""The page opens at the newest message and stays there until somebody scrolls up, even while pictures load."""

WAITING_ITS_TURN = (
    (
        "let pages = {};",
        """let pages = {};
  const kept = new Map();
  let underWay = "";
  function keep(kind, extra, metadata) {
    if (pending && underWay === JSON.stringify([kind, extra])) return;
    const draft = metadata?.commandDraftId ?? (kind === "send_message" ? kind : null);
    const publishedRevision = context.observedRevision || context.publishedRevision;
    kept.set(draft ?? JSON.stringify([kind, extra]), { kind, extra, metadata: { ...metadata, publishedRevision } });
  }
  function dispatchKept() {
    const isReady = context.authorized && !uncertain && !("close" in pages)
      && (awaitingRevision === null || awaitingRevision <= context.observedRevision);
    const [key, action] = (isReady && kept.entries().next().value) || [];
    if (!action) return false;
    kept.delete(key);
    beforePage(action.kind, action.extra);
    void perform(action.kind, action.extra, null, action.metadata);
    return true;
  }""",
    ),
    (
        "{ if (pageAction(kind)) pageIntent(kind, extra); return; }",
        "{ if (pageAction(kind)) pageIntent(kind, extra); else keep(kind, extra, metadata); return; }",
    ),
    (
        "if (!pageAction(kind) && awaitingRevision !== null && awaitingRevision > context.publishedRevision) return;",
        """if (!pageAction(kind) && awaitingRevision !== null && awaitingRevision > context.publishedRevision) {
      keep(kind, extra, metadata);
      return;
    }""",
    ),
    (
        """for (const kind of ["close", "viewer", "refresh", "focus", "configure_presentation"]) {""",
        """if (dispatchKept()) return;
    for (const kind of ["close", "viewer", "refresh", "focus", "configure_presentation"]) {""",
    ),
    (
        "published_revision: context.observedRevision || context.publishedRevision, kind };",
        """published_revision: metadata?.publishedRevision || context.observedRevision || context.publishedRevision,
      kind };""",
    ),
    (
        "pending = action;",
        "pending = action; underWay = JSON.stringify([kind, extra]);",
    ),
    (
        "redact: () => { pages = {}; queries.clear();",
        "redact: () => { kept.clear(); pages = {}; queries.clear();",
    ),
)
"""An action on a busy page (Enter, a button, a form) waits and then happens once; SimCord's page drops it.

The same action again while the first is waiting counts as a double click.
"""

TYPED_AT_ONCE = (
    (
        "matches = matchCommands(catalog?.entries || [], query);",
        """const typed = (catalog?.entries || []).find((item) => value.startsWith(`/${item.invocation} `));
    if (typed) {
      const rest = value.slice(typed.invocation.length + 2);
      const first = typed.options.find((option) => option.required);
      select(typed);
      if (first && rest) {
        drafts.value(first.name, { raw: rest });
        renderCompose({ focus: true });
      }
      return;
    }
    matches = matchCommands(catalog?.entries || [], query);""",
    ),
)
"""As in Discord, a space after a command's name begins its options: `/imagine a red apple` is no message."""

BADGE = (('"message-app-badge", "WEBHOOK"', '"message-app-badge", "APP"'),)
"""Discord's label for authors that are no persons. The guide of the playground is a webhook."""

PICTURES_OF_BEFORE = (
    (
        "options = { ...options, isCurrent: () => alive };",
        """options = { ...options, isCurrent: () => alive,
    picturesBefore: [...root.querySelectorAll(".media-lightbox-trigger img")] };""",
    ),
)
PICTURE_OF_BEFORE = (
    (
        """const image = node("img", className);
  image.alt""",
        """const image = options.picturesBefore?.shift() || node("img", className);
  image.className = className;
  image.alt""",
    ),
)
"""An edited message keeps each picture until the next one has loaded, so that previews leave no gap."""

REPLACEMENTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "/": BRANDING,
    "/app.js": DIRECT_MESSAGES + FOLLOWING,
    "/timeline.js": STAYING_AT_THE_END,
    "/actions.js": WAITING_ITS_TURN,
    "/commands.js": TYPED_AT_ONCE,
    "/media.js": PICTURE_OF_BEFORE,
    "/messages.js": PICTURES_OF_BEFORE + BADGE,
}

STYLE = """\
#refresh, #capture-open, #inspector-toggle, #layout-label, #back-activity, #view-action-output,
.advanced-search, #message-page-status { display: none; }
.preview-brand small { white-space: nowrap; }
"""
"""Hidden controls: the page publishes automatically, and capture and inspection are for authors of scenarios."""


class LivePageServer(PreviewServer):
    """Serves the page with the replacements, and Easel's own style and icon."""

    _STATIC_FILES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_FILES,  # noqa: SLF001 - the table of served files
        "/easel.css": "easel.css",
        "/icon.png": "icon.png",
    }

    async def _static(self, request: web.Request) -> web.Response:
        if request.path == "/easel.css":
            return web.Response(text=STYLE, content_type="text/css", headers=self._SECURITY_HEADERS)
        if request.path == "/icon.png":
            return web.Response(body=ICON.read_bytes(), content_type="image/png", headers=self._SECURITY_HEADERS)
        response: web.Response = await super()._static(request)
        for old, new in REPLACEMENTS.get(request.path, ()):
            response.text = (response.text or "").replace(old, new, 1)
        return response

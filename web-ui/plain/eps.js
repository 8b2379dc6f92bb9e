// The list of EPs.
"use strict";

const list = (values) => values.join(", ");

function row(ep) {
  const labels = Object.entries(ep.labels).map(([key, value]) => `${key}=${value}`);
  const draining = ep.state === "draining";
  const drain = act(async () => {
    await ask("POST", `/eps/${encodeURIComponent(ep.name)}/drain`, { drained: !draining });
    await show();
  });
  return make("tr", {},
    make("th", { scope: "row" }, ep.name),
    make("td", {}, ep.state, ...(ep.notices || []).map((notice) =>
      make("div", { class: "wrong", title: `since ${notice.since}` }, notice.text)),
      ep.pool ? make("div", {}, `only work of ${ep.pool}`) : null),
    make("td", {}, [ep.host.name, ep.host.os, ep.software].filter(Boolean).join(" · ")),
    make("td", {}, list(labels)),
    make("td", {}, list(ep.capabilities)),
    make("td", {}, ...ep.working.map((attempt) =>
      make("a", { href: `/plain/runs/${attempt.split(".")[0]}` }, attempt + " "))),
    make("td", {}, when(ep.last_seen)),
    make("td", {}, make("button", { type: "button", onclick: drain }, draining ? "Give work again" : "Drain")));
}

async function show() {
  const page = await ask("GET", "/eps");
  $("eps").replaceChildren(...page.items.map(row));
}

again(3, show);

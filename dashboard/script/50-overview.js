// What happens now and happened in the last hour.

function overview(main) {
  const when = h("p", {});
  const body = h("div", { class: "content" });
  main.append(head("Overview", when), body);
  let figures = null;
  const draw = () => {
    if (figures === null) return;
    const { lastHour, minutes } = figures;
    when.replaceChildren("The last hour", lastHour.since === figures.startedAt ? `, since the start ${distance(figures.startedAt)}` : ` · started ${distance(figures.startedAt)}`);
    const width = Math.max(240, body.clientWidth - 40);
    renew(body,
      tiles(lastHour),
      panel("Requests by minute", chart(minutes, width), legend(lastHour), minuteTable(minutes)),
      h("div", { class: "grid" }, rulesPanel(figures.rules), limitsPanel(figures.limits)),
      h("div", { class: "grid small" }, upstreamPanel(figures), journalPanel(figures.journal), credentialsPanel(figures.credentials), listenersPanel(figures)));
  };
  addEventListener("resize", draw);
  const stop = every(5000, body, async () => {
    figures = await ask("/api/overview");
    standing(figures.ready, figures.version);
    draw();
  });
  return () => { stop(); removeEventListener("resize", draw); };
}

function tiles(hour) {
  const tile = (name, value, small, decision) => h("div", { class: "tile" },
    h("dt", {}, decision ? h("span", { class: `dot fill-${decision}` }) : null, name), h("dd", {}, value, h("small", {}, small)));
  const share = (number) => hour.requests === 0 ? "no requests" : `${(100 * number / hour.requests).toFixed(number * 100 < hour.requests ? 1 : 0)} % of requests`;
  const others = hour.unauthenticated + hour.invalid + hour.refused;
  return h("dl", { class: "tiles" },
    tile("Users created", count(hour.created), `of ${plural(hour.requests, "request")}`, "allowed"),
    tile("Denied", count(hour.denied), share(hour.denied), "denied"),
    tile("Throttled", count(hour.throttled), share(hour.throttled), "throttled"),
    tile("Otherwise refused", count(others), `${count(hour.unauthenticated)} unauthenticated · ${count(hour.invalid)} invalid`, "invalid"),
    tile("Latency", milliseconds(hour.latencyMs.p50), `p95 ${milliseconds(hour.latencyMs.p95)} · p99 ${milliseconds(hour.latencyMs.p99)}`),
    tile("Upstream", milliseconds(hour.upstreamMs.p50), `p95 ${milliseconds(hour.upstreamMs.p95)} · p99 ${milliseconds(hour.upstreamMs.p99)}`));
}

function rulesPanel(rules) {
  const most = Math.max(1, ...rules.map((rule) => rule.count));
  return panel("Violations by rule", table("Violations in the last hour by rule, the most frequent first", [
    { name: "Rule", cell: (row) => [h("a", { href: `#/requests${query([["rule", row.rule], ["since", "1h"]])}` }, row.rule), h("span", { class: "sub" }, row.policy)] },
    { name: "Mode", cell: (row) => modeBadge(row.mode) },
    { name: "Share", class: "share", cell: (row) => bar(row.count / most, `${Math.round(100 * row.count / most)} % of the most frequent`) },
    { name: "Requests", class: "num", cell: (row) => count(row.count) },
  ], rules) ?? empty("Nothing broke a rule in the last hour."));
}

function modeBadge(mode) { return badge(mode === "enforce" ? "bad" : mode === "warn" ? "warn" : "", mode === "enforce" ? "denied" : mode); }

function limitsPanel(limits) {
  return panel("Limits reached", table("Requests in the last hour that a limit refused, or would have", [
    { name: "Limit of", cell: (row) => row.scope },
    { name: "Tenant", cell: (row) => row.tenant ?? h("span", { class: "faint" }, "not known") },
    { name: "Requests", class: "num", cell: (row) => count(row.count) },
  ], limits) ?? empty("No limit was reached in the last hour."));
}

function upstreamPanel({ upstream, retries }) {
  const retried = retries.reduce((sum, row) => sum + row.count, 0);
  return panel("Upstream", ...upstream.map((region) => h("div", {},
    h("p", {}, badge(region.circuitOpen || region.detail !== "no problem known" ? "bad" : "good", region.circuitOpen ? "circuit open" : region.detail === "no problem known" ? "in order" : "in trouble"), " ", h("strong", {}, region.region)),
    region.detail === "no problem known" ? null : h("p", { class: "wrap" }, region.detail),
    facts([["Connections", `${count(region.connectionsInUse)} in use, ${count(region.connectionsIdle)} idle`]]))),
    facts([["Retries", `${count(retried)} since the start`]]));
}

function journalPanel(journal) {
  const isBad = journal.failure !== null || journal.unwrittenOutcomes > 0;
  return panel("Journal",
    h("p", {}, badge(isBad ? "bad" : journal.isSpaceLow ? "warn" : "good", isBad ? "failing" : journal.isSpaceLow ? "little space" : "written")),
    journal.failure ? h("p", { class: "wrap" }, journal.failure) : null,
    facts([
      ["Records", `${count(journal.records)} since the start`], ["Last record", count(journal.lastSequence)],
      ["Size", journal.bytes > 0 ? bytes(journal.bytes) : null], ["Free", bytes(journal.freeBytes)],
      ["Sync", `p50 ${milliseconds(journal.syncMs.p50)} · p99 ${milliseconds(journal.syncMs.p99)}`],
      ["Outcomes lacking", journal.unwrittenOutcomes + journal.lostOutcomes > 0 ? count(journal.unwrittenOutcomes + journal.lostOutcomes) : null],
      ["Not shipped", journal.unshipped === null ? null : count(journal.unshipped)],
      ["Checkpoint", journal.lastCheckpoint ? distance(journal.lastCheckpoint) : "none yet"],
    ]));
}

function credentialsPanel(credentials) {
  return panel("Credentials",
    h("p", {}, badge(credentials.held ? credentials.problem ? "warn" : "good" : "bad", credentials.held ? credentials.problem ? "not refreshed" : "present" : "missing")),
    credentials.problem ? h("p", { class: "wrap" }, credentials.problem) : null,
    facts([["Source", credentials.source], ["End", credentials.end ? [distance(credentials.end), " (", moment(credentials.end, true), ")"] : "never"]]));
}

function listenersPanel({ listeners, connections, configuration }) {
  return panel("Listeners",
    facts([
      ...listeners.map((listener) => [listener.address, listener.tls ? ["TLS, certificate ends ", listener.certificateEnd ? distance(listener.certificateEnd) : "at an unknown time"] : "without TLS"]),
      ["Connections", count(connections)], ["Configuration", ["loaded ", distance(configuration.loadedAt)]],
      ["Failed reloads", configuration.failedReloads > 0 ? count(configuration.failedReloads) : null],
    ]));
}

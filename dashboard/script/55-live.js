// Requests as they end.

const MOST_LIVE = 100;

function live(main) {
  let isPaused = false;
  let waiting = [];
  const state = h("p", { role: "status" }, "Connecting …");
  const button = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: toggle }, "Pause");
  const choice = h("select", { id: "shown", onchange: () => show() },
    h("option", { value: "" }, "all"), DECISIONS.map((decision) => h("option", { value: decision }, decision)));
  const rows = [];
  const body = h("div", {});
  main.append(head("Live requests", state),
    h("section", { class: "panel" },
      h("div", { class: "head" },
        h("div", { class: "inline" }, h("label", { for: "shown" }, "Decision"), choice), button),
      body));

  const source = new EventSource("/api/live");
  const tell = (text) => { if (state.textContent !== text) state.textContent = text; };
  source.onopen = () => tell(isPaused ? state.textContent : "Watching");
  source.onerror = () => tell(source.readyState === EventSource.CLOSED ? "The gateway does not let us watch: too many do, or the session is over." : "Connecting …");
  source.addEventListener("request", (event) => take({ request: JSON.parse(event.data) }));
  source.addEventListener("skipped", (event) => take({ skipped: JSON.parse(event.data).count }));
  source.addEventListener("problem", (event) => tell(sentence(JSON.parse(event.data).error)));

  let isDue = false;
  function take(row) {
    if (isPaused) {
      waiting.push(row);
      if (waiting.length > MOST_LIVE) waiting.shift();
      tell(`Paused; ${waiting.length >= MOST_LIVE ? `${MOST_LIVE} or more` : waiting.length} new`);
      return;
    }
    tell("Watching");
    rows.unshift(row);
    rows.length = Math.min(rows.length, MOST_LIVE);
    // Many may come at once.
    if (!isDue) requestAnimationFrame(() => { isDue = false; show(); });
    isDue = true;
  }

  function toggle() {
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", String(isPaused));
    button.textContent = isPaused ? "Go on" : "Pause";
    if (isPaused) return tell("Paused");
    rows.unshift(...waiting.reverse());
    rows.length = Math.min(rows.length, MOST_LIVE);
    waiting = [];
    tell("Watching");
    show();
  }

  function show() {
    const shown = rows.filter((row) => row.skipped !== undefined || choice.value === "" || row.request.decision === choice.value);
    const requests = shown.filter((row) => row.request);
    const skipped = rows.reduce((sum, row) => sum + (row.skipped ?? 0), 0);
    renew(body, requestTable("The latest requests, newest first", requests.map((row) => row.request)) ?? empty("No requests yet. They appear here as they end."),
      skipped > 0 ? h("p", { class: "hint" }, `${plural(skipped, "further request")} came too fast to be shown; Requests has them.`) : null);
  }

  // So that there is something to look at before the first one comes.
  ask("/api/requests?limit=20").then((page) => {
    const known = new Set(rows.map((row) => row.request?.requestId));
    rows.push(...page.requests.filter((request) => !known.has(request.requestId)).map((request) => ({ request })));
    show();
  }).catch((failure) => renew(body, notice(failure.message, "bad")));
  show();
  return () => source.close();
}

// Which view is shown, by the part of the address behind #.

const VIEWS = { overview: ["Overview", overview], live: ["Live", live], requests: ["Requests", requests], tenants: ["Tenants", tenants], policies: ["Policies", policies], playground: ["Playground", playground], health: ["Health", health] };
const main = document.getElementById("content");
let leave = () => {};

/** Calls `work` now and then while somebody looks; what goes wrong is said in the view's `body`. */
function every(period, body, work) {
  let timer = 0;
  let isOver = false;
  const run = async () => {
    clearTimeout(timer);
    try {
      if (!document.hidden) await work();
    } catch (failure) {
      if (!isOver) {
        standing(null);
        renew(body, notice(failure instanceof Failure ? failure.message : `This view cannot be shown: ${failure.message}`, "bad"));
      }
    }
    if (!isOver) timer = setTimeout(run, period);
  };
  document.addEventListener("visibilitychange", run);
  run();
  return () => { isOver = true; clearTimeout(timer); document.removeEventListener("visibilitychange", run); };
}

/** Whether the gateway is ready; null: nobody knows. */
function standing(isReady, version) {
  const place = document.getElementById("standing");
  const text = isReady === null ? "no answer" : isReady ? "ready" : "not ready";
  if (place.textContent !== text) place.replaceChildren(badge(isReady === null ? "warn" : isReady ? "good" : "bad", text));
  if (version) document.getElementById("version").textContent = version;
}

function show(isFirst) {
  leave();
  const [, path = "overview", rest = ""] = /^#\/([^?]*)\??(.*)$/.exec(location.hash) ?? [];
  const [name, id] = path.split("/");
  const [title, view] = VIEWS[name] ?? VIEWS.overview;
  document.title = `${title} – Gatehouse`;
  for (const entry of document.querySelectorAll("nav a")) {
    const isCurrent = entry.getAttribute("href") === `#/${VIEWS[name] ? name : "overview"}`;
    if (isCurrent) entry.setAttribute("aria-current", "page"); else entry.removeAttribute("aria-current");
    if (isCurrent) entry.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  main.replaceChildren();
  leave = name === "requests" && id ? request(main, decodeURIComponent(id), rest) : view(main, rest);
  // A screen reader goes on where the new view begins.
  if (!isFirst) {
    main.querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

addEventListener("hashchange", () => show(false));
document.querySelector(".skip").addEventListener("click", (event) => {
  // The address behind # names views.
  event.preventDefault();
  main.focus();
});
const logout = document.getElementById("logout");
logout.hidden = localStorage.getItem("session") === null;
logout.addEventListener("submit", () => localStorage.removeItem("session"));
ask("/api/overview").then((figures) => standing(figures.ready, figures.version)).catch(() => standing(null));
show(true);

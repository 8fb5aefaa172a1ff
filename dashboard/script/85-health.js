// Whether it serves, and what stands in the way.

const CHECKS = {
  policies: "Policies", credentials: "Credentials", journal: "Audit journal", store: "Store of limits", upstream: "Upstream", postgres: "Copies in PostgreSQL",
};
const FACTS = { source: "Source", ageSeconds: "Age", expiry: "End" };

function health(main) {
  const state = h("p", {});
  const body = h("div", { class: "content" });
  main.append(head("Health", state), body);
  return every(5000, body, async () => {
    const answer = await ask("/api/health");
    standing(answer.ready);
    state.textContent = answer.ready ? "Ready: requests are served" : "Not ready: load balancers should send requests elsewhere";
    renew(body, h("section", { class: "panel", "aria-label": "Checks" }, Object.entries(answer.checks).map(([name, check]) => {
      const { ok, detail, ...more } = check;
      const isTroubled = ok && /degraded|unreachable|circuit open|not refreshed|refuses/.test(detail);
      return h("article", { class: "check" }, badge(ok ? isTroubled ? "warn" : "good" : "bad", ok ? isTroubled ? "degraded" : "in order" : "failing"),
        h("div", {}, h("h3", {}, CHECKS[name] ?? name), h("p", { class: "faint" }, detail),
          facts(Object.entries(more).map(([key, value]) => [FACTS[key] ?? key, key === "expiry" ? moment(value, true) : key === "ageSeconds" && value !== null ? plural(value, "second") : value]))));
    })));
  });
}

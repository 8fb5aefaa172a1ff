// What is asked for, by whom, and what is let pass meanwhile.

function policies(main) {
  const state = h("p", {});
  const body = h("div", { class: "content" });
  main.append(head("Policies", state), body);
  return every(15000, body, async () => {
    const answer = await ask("/api/policies");
    state.replaceChildren(plural(answer.policies.length, "policy", "policies"), " · revision ", h("code", {}, answer.revision.slice(0, 19)));
    renew(body, exceptionsPanel(answer.exceptions),
      answer.policies.length === 0 ? empty("There are no policies: every request that the API model allows is allowed.") : h("div", { class: "grid" }, answer.policies.map(policyPanel)));
  });
}

const MODES = { enforce: ["good", "enforced"], warn: ["warn", "warns"], off: ["", "off"] };

function policyPanel(policy) {
  const [kind, word] = MODES[policy.mode];
  return h("section", { class: "panel policy" },
    h("div", { class: "head" }, h("h2", { class: "wrap" }, policy.policy), h("span", { class: "chips" }, policy.severity ? severityBadge(policy.severity) : null, badge(kind, word))),
    policy.description ? h("p", { class: "faint" }, policy.description) : null,
    facts([["Owner", policy.owner], ["Help", policy.help ? link(policy.help) : null], ["Applies to", scope(policy.match)], ["When", policy.when ? marked(policy.when) : null],
      ["File", h("code", {}, policy.file.split("/").pop())], ["Violations", policy.violations > 0 ? `${count(policy.violations)} since the start` : "none since the start"]]),
    table(`Rules of ${policy.policy}`, [
      { name: "Rule", cell: (rule) => rule.rule },
      { name: "Asks for", class: "wide wrap", cell: (rule) => marked(rule.says) },
      ...policy.rules.some((rule) => rule.mode !== policy.mode) ? [{ name: "Mode", class: "end", cell: (rule) => rule.mode === policy.mode ? "" : badge(...MODES[rule.mode]) }] : [],
    ], policy.rules, { rowHead: true }) ?? empty("It has no rules."));
}

/** Only what narrows it: an absent list takes in everything. */
function scope(match) {
  const parts = (lists) => [
    lists.tenants ? `tenants ${lists.tenants.join(", ")}` : null,
    ...Object.entries(lists.tenantLabels ?? {}).map(([name, values]) => `tenants with ${name} ${values.join(", ")}`),
    lists.appInstances ? `AppInstances ${lists.appInstances.join(", ")}` : null,
    lists.operations ? lists.operations.join(", ") : null,
  ].filter(Boolean).join("; ");
  const taken = parts(match) || "every request";
  return match.exclude ? `${taken}; not ${parts(match.exclude)}` : taken;
}

function exceptionsPanel(exceptions) {
  const standing = (exception) => exception.ended ? badge("", "ended") : exception.daysLeft < 14 ? badge("warn", exception.daysLeft === 0 ? "ends today" : `${plural(exception.daysLeft, "day")} left`) : badge("info", `${plural(exception.daysLeft, "day")} left`);
  return panel("Exceptions", table("Exceptions: what they cover warns instead of denying", [
    { name: "Exception", cell: (exception) => [exception.exception, exception.owner ? h("span", { class: "sub" }, exception.owner) : null] },
    { name: "Until", class: "end", cell: (exception) => [exception.until, " ", standing(exception)] },
    { name: "Covers", class: "wide wrap", cell: (exception) => [exception.rules.join(", "), h("span", { class: "sub" }, `of ${exception.policies.join(", ")} for ${scope(exception.match)}${exception.when ? ` when ${exception.when}` : ""}`)] },
    { name: "Reason", class: "wide wrap", cell: (exception) => exception.reason },
    { name: "Used", class: "num end named", cell: (exception) => count(exception.used) },
  ], exceptions, { stack: true }) ?? empty("There are no exceptions."));
}

// Who may call, how much, and what they use of it.

function tenants(main) {
  const state = h("p", {});
  const body = h("div", { class: "content" });
  main.append(head("Tenants", state), body);
  return every(10000, body, async () => {
    const answer = await ask("/api/tenants");
    state.textContent = plural(answer.tenants.length, "tenant");
    renew(body, h("section", { class: "panel", "aria-label": "Tenants" }, table("Tenants, their limits and their use of the last hour", [
      { name: "Tenant", cell: (tenant) => [h("a", { href: `#/requests${query([["tenant", tenant.id]])}` }, tenant.id), tenant.description ? h("span", { class: "sub" }, tenant.description) : null] },
      { name: "Rate", class: "wide", cell: rate },
      { name: "In flight", cell: flight },
      { name: "Requests", class: "num", cell: ({ usage }) => count(usage.requests) },
      { name: "Created", class: "num", cell: ({ usage }) => count(usage.created) },
      { name: "Denied", class: "num", cell: ({ usage }) => count(usage.denied) },
      { name: "Throttled", class: "num", cell: ({ usage }) => count(usage.throttled) },
    ], answer.tenants) ?? empty("There are no tenants.")),
      h("div", { class: "grid" }, answer.tenants.map(tenantPanel)));
  });
}

function rate({ rateLimit, usage }) {
  const used = usage.requestsPerSecond ?? 0;
  const now = `${used.toFixed(used < 10 ? 1 : 0)}/s`;
  if (rateLimit === null) return [`${now}, no limit`];
  const limit = rateLimit.requestsPerSecond;
  return [`${now} of ${limit}/s`, bar(used / limit, `${Math.round(100 * used / limit)} % of the rate`, { isLimit: true })];
}

function flight({ rateLimit, usage }) {
  const most = rateLimit?.concurrency;
  if (!most) return h("span", { class: "faint" }, "no limit");
  return [`${count(usage.inFlight)} of ${count(most)}`, bar(usage.inFlight / most, `${Math.round(100 * usage.inFlight / most)} % of the concurrency`, { isLimit: true })];
}

const KEY_KINDS = { active: "good", expired: "bad", revoked: "" };

function tenantPanel(tenant) {
  const chips = (values) => values.length === 0 ? null : h("span", { class: "chips" }, values.map((value) => h("span", { class: "chip" }, value)));
  const limits = tenant.rateLimit;
  return panel(tenant.id, facts([
    ["Access keys", h("ul", {}, tenant.accessKeys.map((key) => h("li", {}, h("code", {}, key.id), " ", badge(KEY_KINDS[key.status], key.status),
      key.notAfter ? h("span", { class: "sub" }, key.status === "expired" ? "ended " : "ends ", distance(key.notAfter)) : null)))],
    ["Operations", chips(tenant.operations.length > 8 ? [`${tenant.operations.length} operations`] : tenant.operations)],
    ["AppInstances", chips(tenant.appInstances)], ["Regions", chips(tenant.regions ?? [])], ["Certificates", chips(tenant.clientCertificates)],
    ["Role", tenant.role],
    ["Limits", limits ? h("ul", {}, h("li", {}, `${limits.requestsPerSecond}/s, burst ${count(limits.burst)}${limits.concurrency ? `, ${count(limits.concurrency)} at a time` : ""}`),
      Object.entries(limits.operations ?? {}).map(([name, of]) => h("li", {}, `${name}: ${of.requestsPerSecond}/s, burst ${count(of.burst)}`)),
      limits.perAppInstance ? h("li", {}, `each AppInstance: ${limits.perAppInstance.requestsPerSecond}/s, burst ${count(limits.perAppInstance.burst)}`) : null) : null],
    ["Labels", chips(Object.entries(tenant.labels).map(([name, value]) => `${name}=${value}`))],
  ]));
}

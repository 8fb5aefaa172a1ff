// A request that nobody sends, judged by the policies in force.

const SAMPLE = (appInstance, tenant) => ({
  AppInstanceArn: appInstance, AppInstanceUserId: `${tenant}-alice`, Name: "Alice Example", ClientRequestToken: "try-1",
  Tags: [{ Key: "CostCenter", Value: "4711" }],
});

function playground(main) {
  const tenant = h("select", { id: "try-tenant", onchange: () => offer() });
  const operation = h("input", { id: "try-operation", value: "CreateAppInstanceUser", list: "operations", spellcheck: "false", autocomplete: "off" });
  const known = h("datalist", { id: "operations" });
  const path = h("input", { id: "try-path", placeholder: "/app-instance-users/ARN, percent-encoded", spellcheck: "false", autocomplete: "off", "aria-describedby": "try-path-hint" });
  const body = h("textarea", { id: "try-body", rows: "14", spellcheck: "false" });
  const result = h("section", { class: "panel", "aria-live": "polite", "aria-label": "Result" }, empty("The decision appears here, with each rule that led to it. Nothing is sent and nothing is recorded."));
  const form = h("form", { class: "panel", "aria-label": "Request", onsubmit: submit },
    h("div", { class: "filters" },
      h("div", {}, h("label", { for: "try-tenant" }, "Tenant"), tenant),
      h("div", {}, h("label", { for: "try-operation" }, "Operation"), operation, known),
      h("div", {}, h("label", { for: "try-path" }, "Path"), path, h("p", { class: "hint", id: "try-path-hint" }, "for operations that name a user in it"))),
    h("div", { class: "field" }, h("label", { for: "try-body" }, "Request body"), body),
    h("div", { class: "more" }, h("button", { type: "submit" }, "Explain")));
  main.append(head("Playground", h("p", {}, "What would become of a request")), h("div", { class: "grid" }, form, result));

  let all = [];
  let offered = "";
  function offer() {
    const chosen = all.find((one) => one.id === tenant.value);
    if (!chosen) return;
    known.replaceChildren(...chosen.operations.map((name) => h("option", { value: name })));
    // What somebody wrote stays.
    if (body.value !== offered) return;
    const named = chosen.appInstances.find((glob) => !/[*?]/.test(glob)) ?? chosen.appInstances[0]?.replace(/\*$/, "demo") ?? "";
    offered = JSON.stringify(SAMPLE(named, chosen.id), null, 2);
    body.value = offered;
  }
  ask("/api/tenants").then((answer) => {
    all = answer.tenants;
    tenant.replaceChildren(...all.map((one) => h("option", { value: one.id }, one.id)));
    offer();
  }).catch((failure) => result.replaceChildren(notice(failure.message, "bad")));

  async function submit(event) {
    event.preventDefault();
    const question = { tenant: tenant.value, operation: operation.value.trim() };
    if (path.value.trim() !== "") question.path = path.value.trim();
    // The request's own text is judged as it stands, so it is put in and not written anew.
    const text = body.value.trim();
    const written = JSON.stringify(question).slice(0, -1) + (text === "" ? "}" : `,"request":${text}}`);
    try {
      const answer = await ask("/api/explain", { method: "POST", body: written, headers: { "Content-Type": "application/json" } });
      result.replaceChildren(...explanation(answer));
    } catch (failure) {
      result.replaceChildren(notice(failure.message, "bad"));
    }
  }
  return () => {};
}

function explanation(answer) {
  if (answer.decision === "invalid") return [h("p", {}, badge("", "invalid"), " It breaks the API model, so no policy is asked."), h("p", { class: "wrap report" }, marked(sentence(answer.message)))];
  return [
    h("p", {}, decisionBadge(answer.decision), answer.policies.length > 0 ? ` by ${answer.policies.join(", ")}` : " – no policy has a say"),
    ...[["Violations", answer.violations], ["Warnings", answer.warnings], ["Would be refused or changed if it were enforced", answer.wouldChange ?? []]].filter(([, list]) => list.length > 0)
      .map(([title, list]) => h("div", { class: "part" }, h("h3", {}, title), h("ul", { class: "report" }, list.map((finding) => h("li", { class: "wrap" }, h("strong", {}, finding.rule), " ", marked(finding.message)))))),
    answer.changes.length > 0 ? h("div", { class: "part" }, h("h3", {}, "Changes"), h("ul", { class: "report" }, answer.changes.map((change) => h("li", { class: "wrap" }, h("strong", {}, change.field), change.from ? ` from ${change.from}` : "", ` to ${change.to}`)))) : null,
    h("details", {}, h("summary", {}, "Every policy and rule"), h("pre", { class: "report" }, answer.report.join("\n"))),
    h("details", {}, h("summary", {}, answer.decision === "allowed" ? "What would be sent" : "What would be sent if it were allowed"), h("pre", { class: "report" }, JSON.stringify(answer.request, null, 2))),
  ].filter(Boolean);
}

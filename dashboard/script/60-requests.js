// Looks for requests by the filters of `gatehouse audit query`.

const FILTERS = [
  { name: "userId", label: "User id", hint: "AppInstanceUserId" },
  { name: "tenant", label: "Tenant" },
  { name: "actor", label: "Actor", hint: "on whose behalf" },
  { name: "operation", label: "Operation" },
  { name: "decision", label: "Decision", choices: DECISIONS },
  { name: "outcome", label: "Outcome", choices: OUTCOMES },
  { name: "rule", label: "Rule", hint: "such as tags.required" },
  { name: "since", label: "Since", hint: "1h, 7d, 2026-11-28 or a time" },
  { name: "until", label: "Until" },
  { name: "name", label: "User's name", more: true },
  { name: "userArn", label: "User's ARN", more: true },
  { name: "accessKeyId", label: "Access key", more: true },
  { name: "tag", label: "Tag", hint: "KEY=VALUE", more: true },
  { name: "withoutTag", label: "Without tag", hint: "a key", more: true },
];

function subject(request) {
  return request.appInstanceUserId ?? request.appInstanceUserArn?.split("/user/")[1] ?? request.resourceArn ?? request.path ?? null;
}

function requestTable(caption, requests) {
  return table(caption, [
    { name: "Time", class: "time", cell: (request) => h("a", { href: `#/requests/${encodeURIComponent(request.requestId)}${query([["time", request.time]])}`, "aria-label": `Request of ${request.time}, ${request.decision}` }, moment(request.time)) },
    { name: "Decision", class: "end", cell: (request) => decisionBadge(request.decision) },
    { name: "Operation", class: "wide", cell: (request) => [request.operation ?? `${request.method ?? "?"} request`, h("span", { class: "sub" }, outcomeText(request))] },
    { name: "User", class: "who wide", cell: (request) => [subject(request) ?? "–", request.name ? h("span", { class: "sub" }, request.name) : null] },
    { name: "Tenant", class: "wrap", cell: (request) => [request.tenant ?? h("span", { class: "faint still" }, "not known"), request.actor ? h("span", { class: "sub" }, request.actor) : null] },
    { name: "Rules", class: "wrap", cell: (request) => [...new Set([...request.violations, ...request.warnings].map((finding) => finding.rule))].join(", ") },
    { name: "Status", class: "num end", cell: (request) => request.status ?? "–" },
    { name: "Time taken", class: "num end", cell: (request) => milliseconds(request.durationMs) },
  ], requests, { stack: true });
}

function requests(main, rest) {
  const given = new Map(pairs(rest));
  const field = ({ name, label, hint, choices }) => {
    const id = `filter-${name}`;
    const control = choices
      ? h("select", { id, name }, h("option", { value: "" }, "any"), choices.map((choice) => h("option", { value: choice, selected: given.get(name) === choice }, choice)))
      : h("input", { id, name, value: given.get(name) ?? "", autocomplete: "off", spellcheck: "false", placeholder: hint ?? null });
    return h("div", {}, h("label", { for: id }, label), control);
  };
  const status = h("p", { role: "status" });
  const hasMore = FILTERS.some((filter) => filter.more && given.has(filter.name));
  const form = h("form", { role: "search", "aria-label": "Requests", onsubmit: submit },
    h("div", { class: "filters" }, FILTERS.filter((filter) => !filter.more).map(field),
      h("div", { class: "actions" }, h("button", { type: "submit" }, "Search"), h("a", { href: "#/requests" }, "Clear"))),
    h("details", { open: hasMore, class: "further" }, h("summary", {}, "Further filters"), h("div", { class: "filters" }, FILTERS.filter((filter) => filter.more).map(field))));
  const body = h("div", {});
  main.append(head("Requests", status), h("section", { class: "panel" }, form), h("section", { class: "panel", "aria-label": "Results" }, body));

  function submit(event) {
    event.preventDefault();
    const target = `#/requests${query([...new FormData(form)].map(([name, value]) => [name, value.trim()]))}`;
    if (target === location.hash) load(null); else location.hash = target;
  }

  let found = [];
  async function load(before) {
    status.textContent = "Looking …";
    try {
      const page = await ask(`/api/requests${query([...given, ["before", before]])}`);
      found = before === null ? page.requests : [...found, ...page.requests];
      show(page);
    } catch (failure) {
      status.textContent = "";
      renew(body, notice(failure.message, "bad"));
    }
  }

  function show(page) {
    status.textContent = `${plural(found.length, "request")}${page.next ? " so far" : ""}, newest first`;
    const doubts = [];
    if (page.unreadable > 0) doubts.push(`${plural(page.unreadable, "line")} of the journal cannot be read.`);
    if (page.altered.length > 0) doubts.push(`Altered records: ${page.altered.join(", ")}.`);
    renew(body,
      doubts.length > 0 ? notice(`${doubts.join(" ")} See gatehouse audit verify.`, "bad") : null,
      requestTable("Requests that all filters describe, newest first", found) ?? empty(page.next ? "None so far." : "No request is like that."),
      page.next ? h("div", { class: "more" }, h("button", { type: "button", class: "quiet", onclick: () => load(page.next) }, page.complete ? "Older ones" : "Look further back"),
        page.complete ? null : h("span", { class: "faint" }, "This takes longer than one question may; the rest of the journal was not looked at yet.")) : null);
  }
  load(null);
  return () => {};
}

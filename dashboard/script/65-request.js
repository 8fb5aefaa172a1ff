// One request: what it was, how far it got and why, and the records that say so.

const STAGES = {
  read: ["Read", "framed and parsed"], limitSource: ["Source", "within its address's rate"], identify: ["Operation", "one of the service model"],
  authenticate: ["Signature", "of a known key"], confine: ["Tenant", "may ask for this"], admit: ["Tenant's limits", "rate and concurrency"],
  validate: ["API model", "a valid request"], decide: ["Policy", "allowed"], joinRepeat: ["Repeat", "not seen before"],
  awaitTurn: ["Turn", "quota, circuit, credentials"], recordIntent: ["Journal", "intent on disk"], forward: ["Upstream", "sent and answered"], conclude: ["Outcome", "recorded and answered"],
};
const STANDINGS = { passed: "passed", ended: "answered here", notReached: "not reached", failed: "did not go well" };

function request(main, id, rest) {
  const heading = head("Request", h("p", {}, h("a", { href: "#/requests" }, "All requests")));
  const body = h("div", { class: "content" });
  main.append(heading, body);
  const time = new Map(pairs(rest)).get("time");
  ask(`/api/requests/${encodeURIComponent(id)}${query([["time", time]])}`)
    .then((answer) => renew(body, ...requestParts(answer)))
    .catch((failure) => renew(body, notice(failure.message, "bad")));
  return () => {};
}

function requestParts({ request, stages, records }) {
  const user = subject(request);
  const search = (name, value) => value ? h("a", { href: `#/requests${query([[name, value]])}` }, value) : null;
  return [
    h("section", { class: "panel", "aria-label": "Summary" },
      h("p", {}, decisionBadge(request.decision), " ", h("strong", { class: "wrap" }, `${request.operation ?? request.path ?? "Unknown operation"}${user ? ` of ${user}` : ""}`)),
      request.reason ? h("p", { class: "wrap" }, marked(sentence(request.reason))) : null,
      request.integrity ? notice(`The journal does not hold this record: it is ${request.integrity}. See gatehouse audit verify.`, "bad") : null),
    h("section", { class: "panel" }, h("h2", {}, "Its way"),
      h("ol", { class: "stages" }, stages.map(({ stage, standing }) => h("li", { class: standing },
        STAGES[stage]?.[0] ?? stage, h("span", { class: "sub" }, standing === "passed" ? STAGES[stage]?.[1] ?? "passed" : STANDINGS[standing]))))),
    findings("Violations", request.violations), findings("Warnings", request.warnings),
    h("div", { class: "grid" },
      panel("Caller", facts([
        ["Tenant", search("tenant", request.tenant)], ["Access key", search("accessKeyId", request.accessKeyId)], ["Actor", search("actor", request.actor)],
        ["Address", request.sourceIp], ["User agent", request.userAgent], ["Request id", h("code", {}, request.requestId)], ["Time", moment(request.time, true)],
      ])),
      panel("Outcome", facts([
        ["Outcome", request.outcome], ["Status", request.status], ["Error", request.errorType], ["Upstream status", request.upstreamStatus],
        ["Upstream request", request.upstreamRequestId], ["Attempts", request.attempts], ["Repeat of", request.repeatOf], ["Took", milliseconds(request.durationMs)],
        ["Policies", request.policyRevision ? h("code", {}, request.policyRevision) : null], ["Exceptions", request.exceptions?.join(", ")],
      ])),
      panel("What it was about", facts([
        ["User id", search("userId", request.appInstanceUserId)], ["User's ARN", request.appInstanceUserArn], ["AppInstance", request.appInstanceArn],
        ["Resource", request.resourceArn], ["Name", request.name], ["Expiration", request.expirationDays === null ? null : plural(request.expirationDays, "day")],
        ["Metadata", request.metadata], ...Object.entries(request.tags).map(([key, value]) => [`Tag ${key}`, value ?? "not recorded"]),
      ])),
    ),
    request.changes.length > 0 ? panel("What the gateway changed", table("Changes", [
      { name: "Field", cell: (change) => change.field }, { name: "From", class: "wrap", cell: (change) => change.from ?? "–" }, { name: "To", class: "wrap", cell: (change) => change.to ?? "–" },
    ], request.changes, { rowHead: true })) : null,
    h("section", { class: "panel" }, h("details", {}, h("summary", {}, plural(records.length, "record") + " of the journal"),
      records.map((record) => h("pre", { class: "report" }, JSON.stringify(record, null, 2))))),
  ];
}

function findings(title, list) {
  return list.length === 0 ? null : panel(title, table(title, [
    { name: "Rule", cell: (finding) => [finding.rule, h("span", { class: "sub" }, finding.policy)] },
    { name: "Field", class: "wrap", cell: (finding) => finding.field },
    { name: "What is wrong", class: "wide wrap", cell: (finding) => [marked(finding.message), finding.exception ? h("span", { class: "sub" }, `exception ${finding.exception}`) : null,
      finding.owner ? h("span", { class: "sub" }, `owner ${finding.owner}`) : null, finding.help ? h("span", { class: "sub" }, link(finding.help)) : null] },
    { name: "Severity", cell: (finding) => finding.severity ? severityBadge(finding.severity) : "" },
  ], list, { stack: true }));
}

/** Policies name help by https alone; anything else stays text. */
function link(address) { return /^https:\/\//.test(address) ? h("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, address) : address; }
function severityBadge(severity) { return badge(severity === "critical" || severity === "high" ? "bad" : severity === "medium" ? "warn" : "info", severity); }

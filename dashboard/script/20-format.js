// How numbers and times are written.

const whole = new Intl.NumberFormat("en");

function count(number) { return number === null || number === undefined ? "–" : whole.format(number); }
function plural(number, word, words = `${word}s`) { return `${count(number)} ${number === 1 ? word : words}`; }

function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

function bytes(number) {
  if (number === null || number === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (number >= 1024 && unit < units.length - 1) { number /= 1024; unit += 1; }
  return `${unit === 0 ? number : number.toFixed(number < 10 ? 1 : 0)} ${units[unit]}`;
}

const two = (number) => String(number).padStart(2, "0");
function clock(date, seconds = true) { return `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ""}`; }
function day(date) { return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`; }

/** A moment in the viewer's time zone, with the exact one for whoever asks. */
function moment(text, withDay = false) {
  if (!text) return null;
  const date = new Date(text);
  const today = day(date) === day(new Date());
  return h("time", { datetime: text, title: text }, today && !withDay ? clock(date) : `${day(date)} ${clock(date)}`);
}

/** "in 3 days", "5 minutes ago" */
function distance(text) {
  const seconds = (new Date(text) - Date.now()) / 1000;
  const size = Math.abs(seconds);
  const [value, unit] = size < 90 ? [size, "second"] : size < 5400 ? [size / 60, "minute"] : size < 129600 ? [size / 3600, "hour"] : [size / 86400, "day"];
  const words = plural(Math.round(value), unit);
  return seconds < 0 ? `${words} ago` : `in ${words}`;
}

const DECISIONS = ["allowed", "denied", "throttled", "unauthenticated", "invalid", "refused"];
const KINDS = { allowed: "good", denied: "bad", throttled: "warn", unauthenticated: "info", invalid: "", refused: "bad" };
const OUTCOMES = ["created", "succeeded", "rejected", "failed", "unknown", "notForwarded"];

function decisionBadge(decision) { return badge(KINDS[decision] ?? "", decision ?? "unknown"); }

/** What became of a request, where that says more than the decision. */
function outcomeText(request) {
  if (request.decision === "allowed") return request.outcome === "notForwarded" && request.repeatOf ? "repeat" : request.outcome;
  return request.errorType ?? request.outcome;
}

// The last hour, a bar a minute.

const CHART = { height: 176, left: 40, right: 4, top: 10, bottom: 22, minutes: 60 };

/** A round number not below `most`, for the scale. */
function roundUp(most) {
  if (most <= 4) return 4;
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 10].map((factor) => factor * step).find((value) => value >= most);
}

/** @param width in pixels, so that text keeps its size. */
function chart(minutes, width) {
  const { height, left, right, top, bottom } = CHART;
  const most = roundUp(Math.max(0, ...minutes.map((minute) => minute.requests)));
  const slot = (width - left - right) / CHART.minutes;
  const y = (value) => top + (height - top - bottom) * (1 - value / most);
  const lines = [0, most / 2, most].map((value) => [
    svg("line", { class: "grid-line", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
    svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, count(value)),
  ]);
  const first = CHART.minutes - minutes.length;
  const bars = minutes.map((minute, index) => {
    const x = left + (first + index) * slot;
    let base = 0;
    const parts = DECISIONS.filter((decision) => minute[decision] > 0).map((decision) => {
      const from = base;
      base += minute[decision];
      return svg("rect", { class: `fill-${decision}`, x: x + .12 * slot, width: .76 * slot, y: y(base), height: Math.max(1, y(from) - y(base)) });
    });
    const words = `${clock(new Date(minute.begin), false)}: ${describe(minute)}`;
    return svg("g", {}, svg("title", {}, words),
      // The whole column answers to the pointer.
      svg("rect", { x, width: slot, y: top, height: height - top - bottom, fill: "transparent" }), parts);
  });
  const before = first > 0 ? svg("rect", { class: "none", x: left, y: top, width: first * slot, height: height - top - bottom, opacity: .45 }) : null;
  const labels = minutes.map((minute, index) => [new Date(minute.begin), first + index])
    .filter(([date, place]) => date.getMinutes() % 15 === 0 && left + place * slot < width - 40)
    .map(([date, place]) => svg("text", { x: left + place * slot, y: height - 6 }, clock(date, false)));
  const sum = minutes.reduce((total, minute) => total + minute.requests, 0);
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${plural(sum, "request")} in the last hour, by minute and decision. The table below has the numbers.` },
    before, lines, bars, labels);
}

function describe(tally) {
  const parts = DECISIONS.filter((decision) => tally[decision] > 0).map((decision) => `${count(tally[decision])} ${decision}`);
  return parts.length === 0 ? "no requests" : parts.join(", ");
}

function legend(tally) {
  return h("ul", { class: "legend" }, DECISIONS.filter((decision) => decision === "allowed" || tally[decision] > 0).map((decision) =>
    h("li", {}, h("span", { class: `dot fill-${decision}` }), `${decision} `, h("span", { class: "num" }, count(tally[decision])))));
}

function minuteTable(minutes) {
  const columns = [
    { name: "Minute", cell: (minute) => clock(new Date(minute.begin), false) },
    { name: "Requests", class: "num", cell: (minute) => count(minute.requests) },
    { name: "Users created", class: "num", cell: (minute) => count(minute.created) },
    ...DECISIONS.map((decision) => ({ name: decision, class: "num", cell: (minute) => count(minute[decision]) })),
    { name: "p50", class: "num", cell: (minute) => milliseconds(minute.latencyMs.p50) },
    { name: "p99", class: "num", cell: (minute) => milliseconds(minute.latencyMs.p99) },
  ];
  return h("details", { "data-keep": "minutes" }, h("summary", {}, "The same as a table"),
    table("Requests by minute, the latest first", columns, [...minutes].reverse(), { rowHead: true }));
}

// Builds elements. Text is always text: nothing here makes markup of what a server or a caller sent.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "width%") element.style.setProperty("width", `${value}%`);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => child instanceof Node ? child : document.createTextNode(String(child))));
  return element;
}

/** h("td", {class: "num"}, 5, h("small", {}, "of 10")) */
function h(name, attributes, ...children) { return fill(document.createElement(name), attributes, children); }
function svg(name, attributes, ...children) { return fill(document.createElementNS(SVG, name), attributes, children); }

function badge(kind, text) { return h("span", { class: `badge ${kind}` }, text); }
function panel(title, ...children) { return h("section", { class: "panel" }, h("h2", {}, title), ...children); }
function head(title, ...beside) { return h("div", { class: "head" }, h("h1", { tabindex: "-1" }, title), ...beside); }
function empty(text) { return h("p", { class: "empty" }, text); }
function notice(text, kind = "") { return h("p", { class: `notice ${kind}`, role: "alert" }, marked(text)); }

/** What messages put between backticks is code. */
function marked(text) { return text.split("`").map((part, index) => index % 2 === 1 ? h("code", {}, part) : part); }

/** Facts as [name, value] pairs; those without a value are left out. */
function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/**
 * A table that says what it is. A column is {name, class, cell: row => content}; the first one heads the row when `rowHead`.
 */
function table(caption, columns, rows, { stack = false, rowHead = false, showCaption = false } = {}) {
  if (rows.length === 0) return null;
  const cell = (column, index, row) =>
    h(rowHead && index === 0 ? "th" : "td", { class: column.class, scope: rowHead && index === 0 ? "row" : null, "data-name": column.class?.includes("named") ? column.name : null }, column.cell(row));
  // A keyboard can scroll what is wider than the page.
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", { class: stack ? "stack" : null },
      h("caption", { class: showCaption ? null : "hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.class }, column.name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((column, index) => cell(column, index, row)))))));
}

/** A part of a whole; of a limit, the colour says when it is near. */
function bar(share, text, { isLimit = false } = {}) {
  const percent = Math.max(0, Math.min(100, share * 100));
  return h("span", { class: "bar", role: "img", "aria-label": text },
    h("span", { "width%": percent, class: !isLimit ? null : share > 1 ? "over" : share > .8 ? "near" : null }));
}

const FOCUSABLE = "a, button, input, select, textarea, summary, [tabindex]";
function known(element) { return element.dataset.keep ?? `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent}`; }

/** Puts newer content in place, and leaves whoever is there where he was: focus, opened details, scrolled tables. */
function renew(root, ...children) {
  const selection = getSelection();
  // Somebody is copying.
  if (!selection.isCollapsed && root.contains(selection.anchorNode)) return;
  const open = [...root.querySelectorAll("details[open]")].map(known);
  const scrolled = new Map([...root.querySelectorAll(".scroll")].map((element) => [known(element), element.scrollLeft]));
  const focused = root.contains(document.activeElement) && document.activeElement !== root ? known(document.activeElement) : null;
  root.replaceChildren(...children.flat(Infinity).filter(Boolean));
  for (const element of root.querySelectorAll("details")) if (open.includes(known(element))) element.open = true;
  for (const element of root.querySelectorAll(".scroll")) element.scrollLeft = scrolled.get(known(element)) ?? 0;
  if (focused !== null) [...root.querySelectorAll(FOCUSABLE)].find((element) => known(element) === focused)?.focus({ preventScroll: true });
}

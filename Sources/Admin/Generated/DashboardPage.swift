// Made by scripts/generate-dashboard.py from dashboard/; edit that and run it.

/// The dashboard's documents.
enum DashboardPage {
  /// The dashboard.
  static let main = StaticPage(
    text: #"""
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Gatehouse</title>
      <link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M4 28V11l5-6 5 6v17zM18 28V11l5-6 5 6v17z' fill='%233f74c9'/%3E%3Cpath d='M14 16h4v12h-4z' fill='%23142033'/%3E%3C/svg%3E">
      <style>
      :root {
        color-scheme: light dark;
        --ground: #f5f6f8; --panel: #ffffff; --raised: #f0f2f5; --text: #1a2330; --faint: #586373; --line: #dde1e7;
        --accent: #2559a8; --on-accent: #ffffff;
        --good: #1f7a4d; --bad: #b3261e; --warn: #8a5a00; --info: #2559a8; --mute: #6a7482;
        --good-wash: #e6f3ec; --bad-wash: #fbeae8; --warn-wash: #fbf1dd; --info-wash: #e8eff9; --mute-wash: #eceef1;
        --allowed: #2f8f63; --denied: #cf5b3d; --throttled: #d39a1f; --unauthenticated: #7b62b8; --invalid: #8792a2; --refused: #a3203a;
        --radius: 10px;
        --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
      }
      @media (prefers-color-scheme: dark) {
        :root {
          --ground: #0f141b; --panel: #171e27; --raised: #1e2631; --text: #e3e8ef; --faint: #9aa7b7; --line: #2a3441;
          --accent: #86b3ff; --on-accent: #0f1a2c;
          --good: #6fd3a0; --bad: #ff9189; --warn: #f0c063; --info: #86b3ff; --mute: #9aa7b7;
          --good-wash: #14301f; --bad-wash: #3a1b1a; --warn-wash: #342812; --info-wash: #172944; --mute-wash: #222b36;
          --allowed: #4fb785; --denied: #e07a5c; --throttled: #dcae4a; --unauthenticated: #a08be0; --invalid: #7c8797; --refused: #e0627a;
        }
      }
      * { box-sizing: border-box; }
      html { scroll-padding-top: 1rem; }
      body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
      h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
      h1 { font-size: 1.35rem; font-weight: 650; letter-spacing: -.01em; }
      h1:focus, main:focus { outline: none; }
      h2 { font-size: .95rem; font-weight: 650; }
      h3 { font-size: .85rem; font-weight: 650; color: var(--faint); }
      ul, ol { list-style: none; }
      a { color: var(--accent); text-underline-offset: 2px; }
      code, pre, .mono { font-family: var(--mono); font-size: .88em; }
      pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
      .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
      .skip { position: absolute; left: -100vw; top: .5rem; background: var(--panel); padding: .5rem 1rem; border-radius: 6px; z-index: 2; }
      .skip:focus { left: .5rem; }
      .faint { color: var(--faint); }
      .num { font-variant-numeric: tabular-nums; }
      .wrap { overflow-wrap: anywhere; }

      .top { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: .5rem 1rem; padding: .9rem max(1.5rem, calc((100% - 1360px) / 2 + 1.5rem)) 0; background: var(--panel); border-bottom: 1px solid var(--line); }
      .brand { display: flex; align-items: center; gap: .6rem; }
      .mark { width: 1.6rem; height: 1.6rem; fill: var(--accent); }
      .mark .gate { fill: var(--text); opacity: .55; }
      .name { font-weight: 700; font-size: 1.05rem; letter-spacing: -.01em; }
      .version { color: var(--faint); font-size: .8rem; }
      .standing { justify-self: end; }
      nav { grid-column: 1 / -1; overflow-x: auto; scrollbar-width: none; margin: 0 -.75rem; }
      nav ul { display: flex; gap: .1rem; }
      nav a { display: block; padding: .55rem .75rem; color: var(--faint); text-decoration: none; border-bottom: 2px solid transparent; white-space: nowrap; }
      nav a:hover { color: var(--text); }
      nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent); }
      nav a:focus-visible { outline-offset: -3px; }
      main { max-width: 1360px; margin: 0 auto; padding: 1.5rem; display: grid; gap: 1.1rem; }
      .head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .4rem 1rem; }
      .head p { color: var(--faint); font-size: .88rem; }

      button, input, select, textarea { font: inherit; color: inherit; }
      button { background: var(--accent); color: var(--on-accent); border: 1px solid transparent; border-radius: 7px; padding: .42rem .95rem; font-weight: 600; cursor: pointer; }
      button.quiet { background: transparent; color: var(--text); border-color: var(--line); font-weight: 500; }
      button:hover { filter: brightness(1.06); }
      button:disabled { opacity: .5; cursor: default; }
      input, select, textarea { width: 100%; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: .42rem .6rem; }
      textarea { font-family: var(--mono); font-size: .85rem; line-height: 1.5; resize: vertical; }
      label { display: block; font-size: .82rem; font-weight: 600; margin-bottom: .2rem; }
      .hint { font-size: .78rem; color: var(--faint); margin-top: .2rem; }

      .panel { background: var(--panel); border: 1px solid var(--line); border-radius: var(--radius); padding: 1rem 1.15rem; min-width: 0; }
      .panel > h2 { margin-bottom: .7rem; }
      .panel > .head { margin-bottom: .7rem; }
      .grid { display: grid; gap: 1.1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); align-items: start; }
      .grid.small { grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }

      .tiles { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
      .tile { background: var(--panel); border: 1px solid var(--line); border-radius: var(--radius); padding: .8rem 1rem .85rem; }
      .tile dt { font-size: .8rem; color: var(--faint); display: flex; align-items: center; gap: .4rem; }
      .tile dd { font-size: 1.65rem; font-weight: 620; letter-spacing: -.02em; line-height: 1.25; font-variant-numeric: tabular-nums; }
      .tile dd small { font-size: .78rem; font-weight: 400; letter-spacing: 0; color: var(--faint); display: block; line-height: 1.4; }
      .dot { width: .6rem; height: .6rem; border-radius: 3px; flex: none; background: var(--mute); }

      .badge { display: inline-flex; align-items: center; gap: .35rem; font-size: .78rem; font-weight: 600; border-radius: 999px; padding: .08rem .6rem; background: var(--mute-wash); color: var(--mute); white-space: nowrap; }
      .badge.good { background: var(--good-wash); color: var(--good); }
      .badge.bad { background: var(--bad-wash); color: var(--bad); }
      .badge.warn { background: var(--warn-wash); color: var(--warn); }
      .badge.info { background: var(--info-wash); color: var(--info); }
      .notice { background: var(--warn-wash); color: var(--text); border-radius: 8px; padding: .6rem .9rem; }
      .notice.bad { background: var(--bad-wash); }

      .scroll { overflow-x: auto; margin: 0 -1.15rem -.4rem; padding: 0 1.15rem .4rem; }
      .scroll:focus-visible { outline-offset: -3px; }
      table { width: 100%; border-collapse: collapse; font-size: .88rem; }
      caption { text-align: left; color: var(--faint); font-size: .82rem; padding-bottom: .4rem; }
      th { text-align: left; font-weight: 600; font-size: .78rem; color: var(--faint); white-space: nowrap; }
      th, td { padding: .42rem .75rem .42rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
      td:last-child, th:last-child { padding-right: 0; }
      tbody tr:last-child > * { border-bottom: 0; }
      tbody th { color: var(--text); font-size: .88rem; }
      td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
      td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
      td.who { max-width: 20rem; overflow-wrap: anywhere; }
      .sub { display: block; color: var(--faint); font-size: .8rem; }
      .empty { color: var(--faint); padding: .4rem 0; }

      .facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1rem; font-size: .88rem; }
      .facts dt { color: var(--faint); }
      .facts dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }

      .bar { display: block; height: .45rem; border-radius: 3px; background: var(--raised); overflow: hidden; min-width: 4rem; }
      .bar > span { display: block; height: 100%; background: var(--accent); border-radius: 3px; }
      .bar > span.near { background: var(--throttled); }
      .bar > span.over { background: var(--denied); }

      .chart { display: block; width: 100%; height: 11rem; }
      .chart .grid-line { stroke: var(--line); stroke-width: 1; }
      .chart text { fill: var(--faint); font-size: 11px; font-variant-numeric: tabular-nums; }
      .chart .none { fill: var(--raised); }
      .fill-allowed { fill: var(--allowed); background: var(--allowed); }
      .fill-denied { fill: var(--denied); background: var(--denied); }
      .fill-throttled { fill: var(--throttled); background: var(--throttled); }
      .fill-unauthenticated { fill: var(--unauthenticated); background: var(--unauthenticated); }
      .fill-invalid { fill: var(--invalid); background: var(--invalid); }
      .fill-refused { fill: var(--refused); background: var(--refused); }
      .legend { display: flex; flex-wrap: wrap; gap: .2rem .95rem; font-size: .8rem; color: var(--faint); margin-top: .5rem; }
      .legend li { display: flex; align-items: center; gap: .4rem; }

      details > summary { cursor: pointer; color: var(--faint); font-size: .85rem; width: fit-content; }
      details[open] > summary { margin-bottom: .5rem; }
      details table { font-size: .82rem; }

      .filters { display: grid; gap: .7rem .9rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 12.5rem), 1fr)); align-items: start; }
      .filters .actions { display: flex; gap: .5rem; align-items: end; align-self: end; }
      .more { display: flex; gap: .8rem; align-items: center; margin-top: .8rem; }

      .stages { display: grid; grid-template-columns: repeat(auto-fit, minmax(5.5rem, 1fr)); gap: .4rem; }
      .stages li { border: 1px solid var(--line); border-top: 3px solid var(--good); border-radius: 6px; padding: .4rem .5rem .45rem; font-size: .8rem; overflow-wrap: anywhere; line-height: 1.35; }
      .stages li .sub { font-size: .75rem; }
      .stages .ended { border-top-color: var(--denied); background: var(--bad-wash); }
      .stages .failed { border-top-color: var(--refused); background: var(--bad-wash); }
      .stages .notReached { border-top-color: var(--line); color: var(--faint); border-style: dashed; border-top-style: solid; }

      .policy { display: grid; gap: .6rem; align-content: start; }
      .policy .head h2 { margin: 0; font-size: 1rem; }
      .chips { display: flex; flex-wrap: wrap; gap: .3rem; }
      .chip { font-size: .8rem; background: var(--raised); border-radius: 5px; padding: .08rem .5rem; overflow-wrap: anywhere; }
      .report { background: var(--raised); border-radius: 8px; padding: .8rem 1rem; font-size: .84rem; }
      .check { display: grid; grid-template-columns: auto 1fr; gap: .2rem 1rem; align-items: start; padding: .75rem 0; border-bottom: 1px solid var(--line); }
      .check:last-child { border-bottom: 0; padding-bottom: 0; }
      .check:first-child { padding-top: 0; }
      .check h3 { color: var(--text); font-size: .95rem; }
      .check .badge { min-width: 5.2rem; justify-content: center; }
      .check div { min-width: 0; overflow-wrap: anywhere; }

      @media (max-width: 640px) {
        body { font-size: 14px; }
        .top { padding: .8rem 1rem 0; grid-template-columns: 1fr auto; }
        .standing { justify-self: end; }
        .logout { grid-column: 2; }
        main { padding: 1rem; gap: .9rem; }
        .tiles, .filters { grid-template-columns: repeat(2, 1fr); gap: .6rem; }
        .tile dd { font-size: 1.4rem; }
        .panel { padding: .9rem; }
        .scroll { margin: 0 -.9rem -.4rem; padding: 0 .9rem .4rem; }
        .facts { grid-template-columns: 1fr; gap: 0; }
        .facts dd { margin-bottom: .45rem; }
        .stack thead { position: absolute; clip-path: inset(50%); }
        .stack tr { display: grid; grid-template-columns: 1fr auto; gap: .1rem .8rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
        .stack tr:last-child { border-bottom: 0; }
        .stack td { border: 0; padding: 0; max-width: none; }
        .stack td.wide { grid-column: 1 / -1; }
        .stack td.end { text-align: right; }
        .stack td.named::before { content: attr(data-name) " "; color: var(--faint); }
        .share { display: none; }
      }
      @media (prefers-reduced-motion: no-preference) {
        button, nav a { transition: color .12s, background-color .12s, border-color .12s; }
      }
      @media (forced-colors: active) {
        .bar > span, .dot, .legend span { forced-color-adjust: none; }
      }
      .content { display: grid; gap: 1.1rem; min-width: 0; }
      .content > * { min-width: 0; }
      .inline { display: flex; align-items: center; gap: .5rem; }
      .inline label { margin: 0; }
      .inline select { width: auto; }
      .further { margin-top: .9rem; }
      .field { margin-top: .9rem; }
      .part { margin: .8rem 0; display: grid; gap: .3rem; }
      .panel > * + details { margin-top: .7rem; }
      .panel > p + p, .panel > p + dl, .panel > div + dl { margin-top: .5rem; }
      .share { width: 30%; }
      td.share { vertical-align: middle; }
      .still { white-space: nowrap; }
      </style>
      </head>
      <body>
      <a class="skip" href="#content">Skip to the content</a>
      <header class="top">
      <div class="brand">
      <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path d="M4 28V11l5-6 5 6v17zM18 28V11l5-6 5 6v17z"/><path class="gate" d="M14 16h4v12h-4z"/></svg>
      <span class="name">Gatehouse</span>
      <span class="version" id="version"></span>
      </div>
      <p class="standing" id="standing" role="status"></p>
      <form class="logout" id="logout" method="post" action="/logout" hidden><button type="submit" class="quiet">Log out</button></form>
      <nav aria-label="Views">
      <ul>
      <li><a href="#/overview">Overview</a></li>
      <li><a href="#/live">Live</a></li>
      <li><a href="#/requests">Requests</a></li>
      <li><a href="#/tenants">Tenants</a></li>
      <li><a href="#/policies">Policies</a></li>
      <li><a href="#/playground">Playground</a></li>
      <li><a href="#/health">Health</a></li>
      </ul>
      </nav>
      </header>
      <main id="content" tabindex="-1"></main>
      <noscript><p class="notice">This page needs scripts. What it shows is at /api/overview and what /api/openapi.json describes, as JSON.</p></noscript>
      <script>
      "use strict";
      (() => {
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

      // Asks the gateway. What is asked for is the listener's own; nothing else is ever asked.

      class Failure extends Error {}

      async function ask(path, options) {
        let answer;
        try {
          answer = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store", ...options });
        } catch {
          throw new Failure("The gateway does not answer.");
        }
        if (answer.status === 401) {
          // The session is over: the page itself asks for the token.
          location.reload();
          throw new Failure("The session is over.");
        }
        const body = await answer.json().catch(() => null);
        if (!answer.ok) throw new Failure(body?.error ? sentence(body.error) : `The gateway answers ${answer.status}.`);
        return body;
      }

      function sentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") || text.endsWith("?") ? "" : "."); }

      /** Pairs as a query; what is empty is left out. */
      function query(pairs) {
        const written = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined)
          .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
        return written === "" ? "" : `?${written}`;
      }

      /** The pairs of a written query. */
      function pairs(written) {
        return written === "" ? [] : written.split("&").map((pair) => {
          const [name, value = ""] = pair.split("=");
          return [decodeURIComponent(name), decodeURIComponent(value)];
        });
      }

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

      // What happens now and happened in the last hour.

      function overview(main) {
        const when = h("p", {});
        const body = h("div", { class: "content" });
        main.append(head("Overview", when), body);
        let figures = null;
        const draw = () => {
          if (figures === null) return;
          const { lastHour, minutes } = figures;
          when.replaceChildren("The last hour", lastHour.since === figures.startedAt ? `, since the start ${distance(figures.startedAt)}` : ` · started ${distance(figures.startedAt)}`);
          const width = Math.max(240, body.clientWidth - 40);
          renew(body,
            tiles(lastHour),
            panel("Requests by minute", chart(minutes, width), legend(lastHour), minuteTable(minutes)),
            h("div", { class: "grid" }, rulesPanel(figures.rules), limitsPanel(figures.limits)),
            h("div", { class: "grid small" }, upstreamPanel(figures), journalPanel(figures.journal), credentialsPanel(figures.credentials), listenersPanel(figures)));
        };
        addEventListener("resize", draw);
        const stop = every(5000, body, async () => {
          figures = await ask("/api/overview");
          standing(figures.ready, figures.version);
          draw();
        });
        return () => { stop(); removeEventListener("resize", draw); };
      }

      function tiles(hour) {
        const tile = (name, value, small, decision) => h("div", { class: "tile" },
          h("dt", {}, decision ? h("span", { class: `dot fill-${decision}` }) : null, name), h("dd", {}, value, h("small", {}, small)));
        const share = (number) => hour.requests === 0 ? "no requests" : `${(100 * number / hour.requests).toFixed(number * 100 < hour.requests ? 1 : 0)} % of requests`;
        const others = hour.unauthenticated + hour.invalid + hour.refused;
        return h("dl", { class: "tiles" },
          tile("Users created", count(hour.created), `of ${plural(hour.requests, "request")}`, "allowed"),
          tile("Denied", count(hour.denied), share(hour.denied), "denied"),
          tile("Throttled", count(hour.throttled), share(hour.throttled), "throttled"),
          tile("Otherwise refused", count(others), `${count(hour.unauthenticated)} unauthenticated · ${count(hour.invalid)} invalid`, "invalid"),
          tile("Latency", milliseconds(hour.latencyMs.p50), `p95 ${milliseconds(hour.latencyMs.p95)} · p99 ${milliseconds(hour.latencyMs.p99)}`),
          tile("Upstream", milliseconds(hour.upstreamMs.p50), `p95 ${milliseconds(hour.upstreamMs.p95)} · p99 ${milliseconds(hour.upstreamMs.p99)}`));
      }

      function rulesPanel(rules) {
        const most = Math.max(1, ...rules.map((rule) => rule.count));
        return panel("Violations by rule", table("Violations in the last hour by rule, the most frequent first", [
          { name: "Rule", cell: (row) => [h("a", { href: `#/requests${query([["rule", row.rule], ["since", "1h"]])}` }, row.rule), h("span", { class: "sub" }, row.policy)] },
          { name: "Mode", cell: (row) => modeBadge(row.mode) },
          { name: "Share", class: "share", cell: (row) => bar(row.count / most, `${Math.round(100 * row.count / most)} % of the most frequent`) },
          { name: "Requests", class: "num", cell: (row) => count(row.count) },
        ], rules) ?? empty("Nothing broke a rule in the last hour."));
      }

      function modeBadge(mode) { return badge(mode === "enforce" ? "bad" : mode === "warn" ? "warn" : "", mode === "enforce" ? "denied" : mode); }

      function limitsPanel(limits) {
        return panel("Limits reached", table("Requests in the last hour that a limit refused, or would have", [
          { name: "Limit of", cell: (row) => row.scope },
          { name: "Tenant", cell: (row) => row.tenant ?? h("span", { class: "faint" }, "not known") },
          { name: "Requests", class: "num", cell: (row) => count(row.count) },
        ], limits) ?? empty("No limit was reached in the last hour."));
      }

      function upstreamPanel({ upstream, retries }) {
        const retried = retries.reduce((sum, row) => sum + row.count, 0);
        return panel("Upstream", ...upstream.map((region) => h("div", {},
          h("p", {}, badge(region.circuitOpen || region.detail !== "no problem known" ? "bad" : "good", region.circuitOpen ? "circuit open" : region.detail === "no problem known" ? "in order" : "in trouble"), " ", h("strong", {}, region.region)),
          region.detail === "no problem known" ? null : h("p", { class: "wrap" }, region.detail),
          facts([["Connections", `${count(region.connectionsInUse)} in use, ${count(region.connectionsIdle)} idle`]]))),
          facts([["Retries", `${count(retried)} since the start`]]));
      }

      function journalPanel(journal) {
        const isBad = journal.failure !== null || journal.unwrittenOutcomes > 0;
        return panel("Journal",
          h("p", {}, badge(isBad ? "bad" : journal.isSpaceLow ? "warn" : "good", isBad ? "failing" : journal.isSpaceLow ? "little space" : "written")),
          journal.failure ? h("p", { class: "wrap" }, journal.failure) : null,
          facts([
            ["Records", `${count(journal.records)} since the start`], ["Last record", count(journal.lastSequence)],
            ["Size", journal.bytes > 0 ? bytes(journal.bytes) : null], ["Free", bytes(journal.freeBytes)],
            ["Sync", `p50 ${milliseconds(journal.syncMs.p50)} · p99 ${milliseconds(journal.syncMs.p99)}`],
            ["Outcomes lacking", journal.unwrittenOutcomes + journal.lostOutcomes > 0 ? count(journal.unwrittenOutcomes + journal.lostOutcomes) : null],
            ["Not shipped", journal.unshipped === null ? null : count(journal.unshipped)],
            ["Checkpoint", journal.lastCheckpoint ? distance(journal.lastCheckpoint) : "none yet"],
          ]));
      }

      function credentialsPanel(credentials) {
        return panel("Credentials",
          h("p", {}, badge(credentials.held ? credentials.problem ? "warn" : "good" : "bad", credentials.held ? credentials.problem ? "not refreshed" : "present" : "missing")),
          credentials.problem ? h("p", { class: "wrap" }, credentials.problem) : null,
          facts([["Source", credentials.source], ["End", credentials.end ? [distance(credentials.end), " (", moment(credentials.end, true), ")"] : "never"]]));
      }

      function listenersPanel({ listeners, connections, configuration }) {
        return panel("Listeners",
          facts([
            ...listeners.map((listener) => [listener.address, listener.tls ? ["TLS, certificate ends ", listener.certificateEnd ? distance(listener.certificateEnd) : "at an unknown time"] : "without TLS"]),
            ["Connections", count(connections)], ["Configuration", ["loaded ", distance(configuration.loadedAt)]],
            ["Failed reloads", configuration.failedReloads > 0 ? count(configuration.failedReloads) : null],
          ]));
      }

      // Requests as they end.

      const MOST_LIVE = 100;

      function live(main) {
        let isPaused = false;
        let waiting = [];
        const state = h("p", { role: "status" }, "Connecting …");
        const button = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: toggle }, "Pause");
        const choice = h("select", { id: "shown", onchange: () => show() },
          h("option", { value: "" }, "all"), DECISIONS.map((decision) => h("option", { value: decision }, decision)));
        const rows = [];
        const body = h("div", {});
        main.append(head("Live requests", state),
          h("section", { class: "panel" },
            h("div", { class: "head" },
              h("div", { class: "inline" }, h("label", { for: "shown" }, "Decision"), choice), button),
            body));

        const source = new EventSource("/api/live");
        const tell = (text) => { if (state.textContent !== text) state.textContent = text; };
        source.onopen = () => tell(isPaused ? state.textContent : "Watching");
        source.onerror = () => tell(source.readyState === EventSource.CLOSED ? "The gateway does not let us watch: too many do, or the session is over." : "Connecting …");
        source.addEventListener("request", (event) => take({ request: JSON.parse(event.data) }));
        source.addEventListener("skipped", (event) => take({ skipped: JSON.parse(event.data).count }));
        source.addEventListener("problem", (event) => tell(sentence(JSON.parse(event.data).error)));

        let isDue = false;
        function take(row) {
          if (isPaused) {
            waiting.push(row);
            if (waiting.length > MOST_LIVE) waiting.shift();
            tell(`Paused; ${waiting.length >= MOST_LIVE ? `${MOST_LIVE} or more` : waiting.length} new`);
            return;
          }
          tell("Watching");
          rows.unshift(row);
          rows.length = Math.min(rows.length, MOST_LIVE);
          // Many may come at once.
          if (!isDue) requestAnimationFrame(() => { isDue = false; show(); });
          isDue = true;
        }

        function toggle() {
          isPaused = !isPaused;
          button.setAttribute("aria-pressed", String(isPaused));
          button.textContent = isPaused ? "Go on" : "Pause";
          if (isPaused) return tell("Paused");
          rows.unshift(...waiting.reverse());
          rows.length = Math.min(rows.length, MOST_LIVE);
          waiting = [];
          tell("Watching");
          show();
        }

        function show() {
          const shown = rows.filter((row) => row.skipped !== undefined || choice.value === "" || row.request.decision === choice.value);
          const requests = shown.filter((row) => row.request);
          const skipped = rows.reduce((sum, row) => sum + (row.skipped ?? 0), 0);
          renew(body, requestTable("The latest requests, newest first", requests.map((row) => row.request)) ?? empty("No requests yet. They appear here as they end."),
            skipped > 0 ? h("p", { class: "hint" }, `${plural(skipped, "further request")} came too fast to be shown; Requests has them.`) : null);
        }

        // So that there is something to look at before the first one comes.
        ask("/api/requests?limit=20").then((page) => {
          const known = new Set(rows.map((row) => row.request?.requestId));
          rows.push(...page.requests.filter((request) => !known.has(request.requestId)).map((request) => ({ request })));
          show();
        }).catch((failure) => renew(body, notice(failure.message, "bad")));
        show();
        return () => source.close();
      }

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
      })();
      </script>
      </body>
      </html>
      """#,
    policy:
      "default-src 'none'; script-src 'sha256-4RTnq83wOxBj++h+b18HRn90R5vz46+n7jk6apoRuoE='; style-src 'sha256-Q1wDqs2wYKPcPaHHp+1ltIeK1IdtlO24NNeqdXCxlF4='; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  )

  /// Asks for the token.
  static let login = StaticPage(
    text: #"""
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Log in – Gatehouse</title>
      <style>
      :root {
        color-scheme: light dark;
        --ground: #f6f7f9; --panel: #ffffff; --text: #1b2430; --faint: #55606e; --line: #d5dae1; --accent: #1f5fbf; --bad: #b3261e;
      }
      @media (prefers-color-scheme: dark) {
        :root {
          --ground: #11161d; --panel: #19202a; --text: #e4e8ee; --faint: #9aa6b5; --line: #2d3745; --accent: #7fb0ff; --bad: #ff8a80;
        }
      }
      * { box-sizing: border-box; }
      body {
        margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
        background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
      }
      main { width: 100%; max-width: 24rem; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1.75rem; }
      h1 { margin: 0 0 .5rem; font-size: 1.25rem; }
      p { margin: 0 0 1.25rem; color: var(--faint); font-size: .9rem; }
      label { display: block; font-weight: 600; margin-bottom: .25rem; }
      input { width: 100%; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .65rem; }
      button { margin-top: 1rem; width: 100%; font: inherit; font-weight: 600; padding: .55rem; border: 0; border-radius: 6px; background: var(--accent); color: var(--panel); cursor: pointer; }
      .wrong { color: var(--bad); margin: .5rem 0 0; }
      :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      code { font-size: .9em; overflow-wrap: anywhere; }
      </style>
      </head>
      <body>
      <main>
      <h1>Gatehouse</h1>
      <p>This dashboard is for operators. The token is what the file holds that <code>admin.tokenFile</code> of the configuration names.</p>
      <form method="post" action="/login">
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>

      <button type="submit">Log in</button>
      </form>
      </main>
      <script>
      "use strict";
      (() => {
      // A browser that comes from another site's link does not send the cookie with that first request. A page of our own may ask
      // whether there is one: then nobody need log in again.
      if (document.querySelector(".wrong") === null && sessionStorage.getItem("asked") === null) {
        sessionStorage.setItem("asked", "yes");
        fetch("/api/health").then((answer) => {
          if (answer.ok) location.replace("/");
        }).catch(() => {});
      }
      // So that the dashboard offers to log out, where there is something to log out of.
      document.querySelector("form").addEventListener("submit", () => localStorage.setItem("session", "yes"));
      })();
      </script>
      </body>
      </html>
      """#,
    policy:
      "default-src 'none'; script-src 'sha256-2BsxSprYZCRPcEAM0QvmR43+1JTpas9AvcPnLn7r1oc='; style-src 'sha256-kzmdYq4MIBZuh+f2OxuJnVmgebsxAaUrSvUUUP8loxI='; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  )

  /// Asks again, since what was given is not the token.
  static let loginAgain = StaticPage(
    text: #"""
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Log in – Gatehouse</title>
      <style>
      :root {
        color-scheme: light dark;
        --ground: #f6f7f9; --panel: #ffffff; --text: #1b2430; --faint: #55606e; --line: #d5dae1; --accent: #1f5fbf; --bad: #b3261e;
      }
      @media (prefers-color-scheme: dark) {
        :root {
          --ground: #11161d; --panel: #19202a; --text: #e4e8ee; --faint: #9aa6b5; --line: #2d3745; --accent: #7fb0ff; --bad: #ff8a80;
        }
      }
      * { box-sizing: border-box; }
      body {
        margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
        background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif;
      }
      main { width: 100%; max-width: 24rem; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1.75rem; }
      h1 { margin: 0 0 .5rem; font-size: 1.25rem; }
      p { margin: 0 0 1.25rem; color: var(--faint); font-size: .9rem; }
      label { display: block; font-weight: 600; margin-bottom: .25rem; }
      input { width: 100%; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .65rem; }
      button { margin-top: 1rem; width: 100%; font: inherit; font-weight: 600; padding: .55rem; border: 0; border-radius: 6px; background: var(--accent); color: var(--panel); cursor: pointer; }
      .wrong { color: var(--bad); margin: .5rem 0 0; }
      :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      code { font-size: .9em; overflow-wrap: anywhere; }
      </style>
      </head>
      <body>
      <main>
      <h1>Gatehouse</h1>
      <p>This dashboard is for operators. The token is what the file holds that <code>admin.tokenFile</code> of the configuration names.</p>
      <form method="post" action="/login">
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
      <p class="wrong" role="alert">That is not the token.</p>
      <button type="submit">Log in</button>
      </form>
      </main>
      <script>
      "use strict";
      (() => {
      // A browser that comes from another site's link does not send the cookie with that first request. A page of our own may ask
      // whether there is one: then nobody need log in again.
      if (document.querySelector(".wrong") === null && sessionStorage.getItem("asked") === null) {
        sessionStorage.setItem("asked", "yes");
        fetch("/api/health").then((answer) => {
          if (answer.ok) location.replace("/");
        }).catch(() => {});
      }
      // So that the dashboard offers to log out, where there is something to log out of.
      document.querySelector("form").addEventListener("submit", () => localStorage.setItem("session", "yes"));
      })();
      </script>
      </body>
      </html>
      """#,
    policy:
      "default-src 'none'; script-src 'sha256-2BsxSprYZCRPcEAM0QvmR43+1JTpas9AvcPnLn7r1oc='; style-src 'sha256-kzmdYq4MIBZuh+f2OxuJnVmgebsxAaUrSvUUUP8loxI='; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  )

  /// What `/api/…` takes and answers, as OpenAPI 3.1 describes it.
  static let openAPI: StaticString = #"""
    {"openapi":"3.1.0","info":{"title":"Gatehouse","version":"1","description":"What the dashboard shows. It is read-only. Questions wait for one another on threads that serve no requests."},"servers":[{"url":"/"}],"security":[{"bearer":[]},{"session":[]}],"paths":{"/api/overview":{"get":{"operationId":"overview","summary":"What happens now and in the last hour","responses":{"200":{"description":"The figures.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Overview"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/health":{"get":{"operationId":"health","summary":"What /readyz says, with 200 in any case","responses":{"200":{"description":"Each check.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Health"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/requests":{"get":{"operationId":"requests","summary":"Requests of the journal, newest first","parameters":[{"name":"userId","in":"query","description":"The AppInstanceUserId.","schema":{"type":"string"}},{"name":"userArn","in":"query","description":"The user's ARN.","schema":{"type":"string"}},{"name":"tenant","in":"query","description":"The tenant whose key signed the request.","schema":{"type":"string"}},{"name":"actor","in":"query","description":"On whose behalf the application called.","schema":{"type":"string"}},{"name":"accessKeyId","in":"query","description":"The access key that signed it.","schema":{"type":"string"}},{"name":"operation","in":"query","description":"Such as CreateAppInstanceUser.","schema":{"type":"string"}},{"name":"decision","in":"query","description":"What was decided.","schema":{"enum":["allowed","denied","throttled","unauthenticated","invalid","refused"]}},{"name":"outcome","in":"query","description":"What became of it.","schema":{"enum":["created","succeeded","rejected","failed","unknown","notForwarded"]}},{"name":"rule","in":"query","description":"A rule that was broken or warned about, such as tags.required.","schema":{"type":"string"}},{"name":"name","in":"query","description":"The user's name.","schema":{"type":"string"}},{"name":"tag","in":"query","description":"KEY=VALUE as it was evaluated; given several times, all must be there.","schema":{"type":"array","items":{"type":"string"},"maxItems":16},"explode":true},{"name":"withoutTag","in":"query","description":"A key that no tag has; given several times, all must be absent.","schema":{"type":"array","items":{"type":"string"},"maxItems":16},"explode":true},{"name":"since","in":"query","description":"Not before this time: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).","schema":{"type":"string","examples":["1h","2026-11-28","2026-11-28T10:00:00Z"]}},{"name":"until","in":"query","description":"Before this time: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).","schema":{"type":"string","examples":["1h","2026-11-28","2026-11-28T10:00:00Z"]}},{"name":"limit","in":"query","description":"How many at most; 50 when absent.","schema":{"type":"integer","minimum":1,"maximum":200}},{"name":"before","in":"query","description":"What the answer before gave as `next`.","schema":{"type":"string"}}],"responses":{"200":{"description":"A page of them.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/RequestPage"}}}},"400":{"description":"A filter that no request can match.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/requests/{id}":{"get":{"operationId":"request","summary":"One request with its records and how far it got","parameters":[{"name":"id","in":"path","required":true,"description":"What `x-gatehouse-request-id` said.","schema":{"type":"string"}},{"name":"time","in":"query","description":"The request's time, where it is known; else the newest are looked through for as long as one question may take.","schema":{"type":"string","format":"date-time"}}],"responses":{"200":{"description":"The request.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/RequestRecord"}}}},"400":{"description":"A parameter that is not understood.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"404":{"description":"There is none, or not among those that could be looked through.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/counts":{"get":{"operationId":"counts","summary":"How many requests of each kind the journal has","parameters":[{"name":"countBy","in":"query","required":true,"description":"What kinds are told apart by: fields with commas between them, each once. Of `rule`, a request counts under each that was broken or warned about.","schema":{"type":"array","items":{"enum":["tenant","actor","operation","decision","outcome","rule","appInstanceArn","day","hour"]},"minItems":1,"uniqueItems":true},"style":"form","explode":false,"example":["tenant","decision"]},{"name":"userId","in":"query","description":"The AppInstanceUserId.","schema":{"type":"string"}},{"name":"userArn","in":"query","description":"The user's ARN.","schema":{"type":"string"}},{"name":"tenant","in":"query","description":"The tenant whose key signed the request.","schema":{"type":"string"}},{"name":"actor","in":"query","description":"On whose behalf the application called.","schema":{"type":"string"}},{"name":"accessKeyId","in":"query","description":"The access key that signed it.","schema":{"type":"string"}},{"name":"operation","in":"query","description":"Such as CreateAppInstanceUser.","schema":{"type":"string"}},{"name":"decision","in":"query","description":"What was decided.","schema":{"enum":["allowed","denied","throttled","unauthenticated","invalid","refused"]}},{"name":"outcome","in":"query","description":"What became of it.","schema":{"enum":["created","succeeded","rejected","failed","unknown","notForwarded"]}},{"name":"rule","in":"query","description":"A rule that was broken or warned about, such as tags.required.","schema":{"type":"string"}},{"name":"name","in":"query","description":"The user's name.","schema":{"type":"string"}},{"name":"tag","in":"query","description":"KEY=VALUE as it was evaluated; given several times, all must be there.","schema":{"type":"array","items":{"type":"string"},"maxItems":16},"explode":true},{"name":"withoutTag","in":"query","description":"A key that no tag has; given several times, all must be absent.","schema":{"type":"array","items":{"type":"string"},"maxItems":16},"explode":true},{"name":"since","in":"query","description":"Not before this time: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).","schema":{"type":"string","examples":["1h","2026-11-28","2026-11-28T10:00:00Z"]}},{"name":"until","in":"query","description":"Before this time: RFC 3339, a date, or how long ago (`15m`, `24h`, `7d`).","schema":{"type":"string","examples":["1h","2026-11-28","2026-11-28T10:00:00Z"]}},{"name":"limit","in":"query","description":"How many kinds at most; 50 when absent.","schema":{"type":"integer","minimum":1,"maximum":200}}],"responses":{"200":{"description":"The counts.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Counts"}}}},"400":{"description":"A filter that no request can match.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/live":{"get":{"operationId":"live","summary":"Requests as they end, as server-sent events","description":"Events `request` (data: as in /api/requests; id: where to go on), `skipped` (data: `{\"count\":N}`: so many more came than are shown, null where nobody knows how many) and `problem` (data: `{\"error\":\"…\"}`: the journal cannot be followed at the moment).","parameters":[{"name":"Last-Event-ID","in":"header","description":"The last event that was seen; what came since is sent if it is still at hand.","schema":{"type":"string"}}],"responses":{"200":{"description":"Events without end.","content":{"text/event-stream":{"schema":{"type":"string"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"As many watch as may, or the journal cannot be followed.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/tenants":{"get":{"operationId":"tenants","summary":"Tenants, their limits and what they use of them","responses":{"200":{"description":"The tenants, without secrets.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Tenants"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/policies":{"get":{"operationId":"policies","summary":"Policies and exceptions that are in force","responses":{"200":{"description":"The policies.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Policies"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/explain":{"post":{"operationId":"explain","summary":"Judges a request by the policies that are in force; nothing is sent or recorded","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Question"},"example":{"tenant":"crm","request":{"AppInstanceArn":"arn:aws:chime:us-east-1:123456789012:app-instance/demo","AppInstanceUserId":"crm-alice","Name":"Alice","ClientRequestToken":"t1"}}}}},"responses":{"200":{"description":"The decision with its reasons.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Explanation"}}}},"400":{"description":"A question that is not understood.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"503":{"description":"Too many questions wait, or the journal cannot be asked.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},"/api/openapi.json":{"get":{"operationId":"openapi","summary":"This document","responses":{"200":{"description":"OpenAPI 3.1","content":{"application/json":{"schema":{"type":"object"}}}},"401":{"description":"The token is missing or wrong.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"403":{"description":"A page of another origin asks.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}},"421":{"description":"The Host header is none of this listener's.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}}},"components":{"securitySchemes":{"bearer":{"type":"http","scheme":"bearer","description":"The token of `admin.tokenFile`; nothing is asked for where there is none."},"session":{"type":"apiKey","in":"cookie","name":"gatehouse-session-PORT","description":"What a login gives; PORT is that of the Host header."}},"schemas":{"Rate":{"type":"object","properties":{"requestsPerSecond":{"type":"number"},"burst":{"type":"integer","minimum":0}},"required":["requestsPerSecond","burst"],"additionalProperties":false},"Error":{"type":"object","properties":{"error":{"type":"string","description":"What is wrong, and what would be accepted."}},"required":["error"],"additionalProperties":false},"Quantiles":{"type":"object","properties":{"p50":{"type":["number","null"],"minimum":0},"p95":{"type":["number","null"],"minimum":0},"p99":{"type":["number","null"],"minimum":0}},"required":["p50","p95","p99"],"additionalProperties":false,"description":"Milliseconds, as exactly as the histogram's bounds tell; null where nothing was measured."},"Overview":{"type":"object","properties":{"version":{"type":"string"},"time":{"type":"string","format":"date-time"},"startedAt":{"type":"string","format":"date-time"},"ready":{"type":"boolean","description":"What /readyz says."},"policyRevision":{"type":"string"},"sinceStart":{"type":"object","properties":{"requests":{"type":"integer","minimum":0},"allowed":{"type":"integer","minimum":0},"denied":{"type":"integer","minimum":0},"throttled":{"type":"integer","minimum":0},"unauthenticated":{"type":"integer","minimum":0},"invalid":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},"created":{"type":"integer","minimum":0,"description":"Users that upstream said to be created; a repeat creates none."}},"required":["requests","allowed","denied","throttled","unauthenticated","invalid","refused","created"],"additionalProperties":false},"lastHour":{"type":"object","properties":{"since":{"type":"string","format":"date-time","description":"The hour's beginning, or the start when that was later."},"requests":{"type":"integer","minimum":0},"allowed":{"type":"integer","minimum":0},"denied":{"type":"integer","minimum":0},"throttled":{"type":"integer","minimum":0},"unauthenticated":{"type":"integer","minimum":0},"invalid":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},"created":{"type":"integer","minimum":0,"description":"Users that upstream said to be created; a repeat creates none."},"latencyMs":{"$ref":"#/components/schemas/Quantiles"},"upstreamMs":{"$ref":"#/components/schemas/Quantiles"}},"required":["since","requests","allowed","denied","throttled","unauthenticated","invalid","refused","created","latencyMs","upstreamMs"],"additionalProperties":false},"minutes":{"type":"array","items":{"type":"object","properties":{"begin":{"type":"string","format":"date-time"},"end":{"type":"string","format":"date-time"},"requests":{"type":"integer","minimum":0},"allowed":{"type":"integer","minimum":0},"denied":{"type":"integer","minimum":0},"throttled":{"type":"integer","minimum":0},"unauthenticated":{"type":"integer","minimum":0},"invalid":{"type":"integer","minimum":0},"refused":{"type":"integer","minimum":0},"created":{"type":"integer","minimum":0,"description":"Users that upstream said to be created; a repeat creates none."},"latencyMs":{"$ref":"#/components/schemas/Quantiles"}},"required":["begin","end","requests","allowed","denied","throttled","unauthenticated","invalid","refused","created","latencyMs"],"additionalProperties":false},"maxItems":60},"rules":{"type":"array","items":{"type":"object","properties":{"policy":{"type":"string"},"rule":{"type":"string"},"mode":{"type":"string"},"count":{"type":"integer","minimum":0}},"required":["policy","rule","mode","count"],"additionalProperties":false},"maxItems":50,"description":"Violations in the last hour, the most frequent first."},"limits":{"type":"array","items":{"type":"object","properties":{"tenant":{"type":["string","null"]},"scope":{"type":"string"},"count":{"type":"integer","minimum":0}},"required":["tenant","scope","count"],"additionalProperties":false},"maxItems":50,"description":"Requests that a limit refused, or would have, in the last hour."},"upstream":{"type":"array","items":{"type":"object","properties":{"region":{"type":"string"},"detail":{"type":"string"},"circuitOpen":{"type":"boolean"},"connectionsInUse":{"type":"integer","minimum":0},"connectionsIdle":{"type":"integer","minimum":0}},"required":["region","detail","circuitOpen","connectionsInUse","connectionsIdle"],"additionalProperties":false},"minItems":1},"retries":{"type":"array","items":{"type":"object","properties":{"reason":{"type":"string"},"count":{"type":"integer","minimum":0}},"required":["reason","count"],"additionalProperties":false}},"journal":{"type":"object","properties":{"failure":{"type":["string","null"]},"records":{"type":"integer","minimum":0},"lastSequence":{"type":"integer","minimum":0},"bytes":{"type":"integer","minimum":0},"freeBytes":{"type":["integer","null"],"minimum":0},"isSpaceLow":{"type":"boolean"},"unwrittenOutcomes":{"type":"integer","minimum":0},"lostOutcomes":{"type":"integer","minimum":0},"suppressed":{"type":"integer","minimum":0},"lastCheckpoint":{"type":["string","null"],"format":"date-time"},"syncMs":{"$ref":"#/components/schemas/Quantiles"},"unshipped":{"type":["integer","null"],"minimum":0,"description":"Records that the database does not have yet; null where none is configured."}},"required":["failure","records","lastSequence","bytes","freeBytes","isSpaceLow","unwrittenOutcomes","lostOutcomes","suppressed","lastCheckpoint","syncMs","unshipped"],"additionalProperties":false},"credentials":{"type":"object","properties":{"source":{"type":["string","null"]},"end":{"type":["string","null"],"format":"date-time"},"problem":{"type":["string","null"]},"held":{"type":"boolean"}},"required":["source","end","problem","held"],"additionalProperties":false},"listeners":{"type":"array","items":{"type":"object","properties":{"address":{"type":"string"},"tls":{"type":"boolean"},"certificateEnd":{"type":["string","null"],"format":"date-time"}},"required":["address","tls","certificateEnd"],"additionalProperties":false}},"connections":{"type":"integer","minimum":0},"configuration":{"type":"object","properties":{"loadedAt":{"type":"string","format":"date-time"},"failedReloads":{"type":"integer","minimum":0}},"required":["loadedAt","failedReloads"],"additionalProperties":false}},"required":["version","time","startedAt","ready","policyRevision","sinceStart","lastHour","minutes","rules","limits","upstream","retries","journal","credentials","listeners","connections","configuration"],"additionalProperties":false},"Health":{"type":"object","properties":{"ready":{"type":"boolean"},"checks":{"type":"object","additionalProperties":{"type":"object","properties":{"ok":{"type":"boolean"},"detail":{"type":"string"}},"required":["ok","detail"],"additionalProperties":{"type":["string","integer","null"]}}}},"required":["ready","checks"],"additionalProperties":false},"Finding":{"type":"object","properties":{"policy":{"type":"string"},"rule":{"type":"string"},"field":{"type":"string"},"message":{"type":"string"},"severity":{"type":"string"},"owner":{"type":"string"},"help":{"type":"string"},"exception":{"type":"string"}},"required":["policy","rule","field","message"],"additionalProperties":false},"Change":{"type":"object","properties":{"field":{"type":"string"},"from":{"type":["string","null"]},"to":{"type":["string","null"]}},"required":["field"],"additionalProperties":false},"Request":{"type":"object","properties":{"time":{"type":"string","format":"date-time"},"requestId":{"type":"string"},"tenant":{"type":["string","null"]},"accessKeyId":{"type":["string","null"]},"actor":{"type":["string","null"]},"sourceIp":{"type":["string","null"]},"userAgent":{"type":["string","null"]},"operation":{"type":["string","null"]},"appInstanceArn":{"type":["string","null"]},"appInstanceUserId":{"type":["string","null"]},"name":{"type":["string","null"]},"tags":{"type":"object","additionalProperties":{"type":["string","null"]}},"expirationDays":{"type":["integer","null"]},"decision":{"type":["string","null"],"enum":["allowed","denied","throttled","unauthenticated","invalid","refused",null]},"violations":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}},"warnings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}},"changes":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},"policyRevision":{"type":["string","null"]},"status":{"type":["integer","null"]},"upstreamStatus":{"type":["integer","null"]},"upstreamRequestId":{"type":["string","null"]},"appInstanceUserArn":{"type":["string","null"]},"outcome":{"type":"string","enum":["created","succeeded","rejected","failed","unknown","notForwarded"]},"durationMs":{"type":["number","null"]}},"required":["time","requestId","tenant","accessKeyId","actor","sourceIp","userAgent","operation","appInstanceArn","appInstanceUserId","name","tags","expirationDays","decision","violations","warnings","changes","policyRevision","status","upstreamStatus","upstreamRequestId","appInstanceUserArn","outcome","durationMs"],"additionalProperties":true,"description":"One request as `gatehouse audit query --format json` prints it; further members are there only when they say something."},"RequestPage":{"type":"object","properties":{"requests":{"type":"array","items":{"$ref":"#/components/schemas/Request"},"maxItems":200,"description":"Newest first."},"next":{"type":["string","null"],"description":"What to give as `before` for those behind them; null: there are none."},"complete":{"type":"boolean","description":"Whether all was looked through as far as the last of them. If not, the time for one question was over: `next` goes on."},"unreadable":{"type":"integer","minimum":0,"description":"Lines of the journal that are no records."},"altered":{"type":"array","items":{"type":"integer","minimum":0},"description":"Records that told of such a request before they were altered; see `gatehouse audit verify`."}},"required":["requests","next","complete","unreadable","altered"],"additionalProperties":false},"RequestRecord":{"type":"object","properties":{"request":{"$ref":"#/components/schemas/Request"},"stages":{"type":"array","items":{"type":"object","properties":{"stage":{"enum":["read","limitSource","identify","authenticate","confine","admit","validate","decide","joinRepeat","awaitTurn","recordIntent","forward","conclude"]},"standing":{"enum":["passed","ended","notReached","failed"]}},"required":["stage","standing"],"additionalProperties":false}},"records":{"type":"array","items":{"type":"object"},"minItems":1,"maxItems":3,"description":"The journal's records of it, as they stand there."}},"required":["request","stages","records"],"additionalProperties":false},"Counts":{"type":"object","properties":{"counts":{"type":"array","items":{"type":"object","properties":{"tenant":{"type":["string","null"]},"actor":{"type":["string","null"]},"operation":{"type":["string","null"]},"decision":{"type":["string","null"]},"outcome":{"type":["string","null"]},"rule":{"type":["string","null"]},"appInstanceArn":{"type":["string","null"]},"day":{"type":["string","null"]},"hour":{"type":["string","null"]},"count":{"type":"integer","minimum":1}},"required":["count"],"additionalProperties":false},"maxItems":200,"description":"The fields of `countBy` and `count`; the largest first, along time where days or hours are told apart."},"kinds":{"type":"integer","minimum":0,"description":"How many there are in all."},"complete":{"type":"boolean","description":"Whether everything was counted. If not, the time for one question was over, or there were too many kinds."},"since":{"type":["string","null"],"format":"date-time","description":"The earliest request that was looked at, where not all could be; ask for what is before it with `until`."},"unreadable":{"type":"integer","minimum":0,"description":"Lines of the journal that are no records."},"altered":{"type":"array","items":{"type":"integer","minimum":0},"description":"Records of such requests that do not hold; see `gatehouse audit verify`."}},"required":["counts","kinds","complete","since","unreadable","altered"],"additionalProperties":false},"Tenants":{"type":"object","properties":{"time":{"type":"string","format":"date-time"},"since":{"type":"string","format":"date-time"},"tenants":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"description":{"type":"string"},"accessKeys":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"status":{"enum":["active","expired","revoked"]},"notAfter":{"type":["string","null"],"format":"date-time"}},"required":["id","status","notAfter"],"additionalProperties":false}},"clientCertificates":{"type":"array","items":{"type":"string"}},"appInstances":{"type":"array","items":{"type":"string"}},"operations":{"type":"array","items":{"type":"string"}},"rateLimit":{"type":["object","null"],"properties":{"requestsPerSecond":{"type":"number"},"burst":{"type":"integer","minimum":0},"concurrency":{"type":"integer","minimum":0},"operations":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Rate"}},"perAppInstance":{"$ref":"#/components/schemas/Rate"}},"required":["requestsPerSecond","burst"],"additionalProperties":false},"regions":{"type":["array","null"],"items":{"type":"string"}},"role":{"type":["string","null"]},"labels":{"type":"object","additionalProperties":{"type":"string"}},"usage":{"type":"object","properties":{"inFlight":{"type":["integer","null"],"description":"Requests under way, where the tenant's number is limited."},"requestsPerSecond":{"type":["number","null"],"description":"Over the last one to two minutes."},"requests":{"type":"integer","minimum":0,"description":"In the last hour."},"created":{"type":"integer","minimum":0},"denied":{"type":"integer","minimum":0},"throttled":{"type":"integer","minimum":0}},"required":["inFlight","requestsPerSecond","requests","created","denied","throttled"],"additionalProperties":false}},"required":["id","description","accessKeys","clientCertificates","appInstances","operations","rateLimit","regions","role","labels","usage"],"additionalProperties":false}}},"required":["time","since","tenants"],"additionalProperties":false},"Match":{"type":"object","properties":{"tenants":{"type":"array","items":{"type":"string"}},"tenantLabels":{"type":"object","additionalProperties":{"type":"array","items":{"type":"string"}}},"appInstances":{"type":"array","items":{"type":"string"}},"operations":{"type":"array","items":{"type":"string"}},"exclude":{"type":"object"}},"additionalProperties":false,"description":"Lists that are absent take in everything."},"Policies":{"type":"object","properties":{"revision":{"type":"string"},"policies":{"type":"array","items":{"type":"object","properties":{"policy":{"type":"string"},"description":{"type":"string"},"file":{"type":"string"},"mode":{"enum":["enforce","warn","off"]},"owner":{"type":["string","null"]},"severity":{"enum":["low","medium","high","critical",null]},"help":{"type":["string","null"]},"match":{"$ref":"#/components/schemas/Match"},"when":{"type":["string","null"]},"rules":{"type":"array","items":{"type":"object","properties":{"rule":{"type":"string"},"says":{"type":"string"},"mode":{"enum":["enforce","warn","off"]}},"required":["rule","says","mode"],"additionalProperties":false}},"violations":{"type":"integer","minimum":0,"description":"Since the start."}},"required":["policy","description","file","mode","owner","severity","help","match","when","rules","violations"],"additionalProperties":false}},"exceptions":{"type":"array","items":{"type":"object","properties":{"exception":{"type":"string"},"reason":{"type":"string"},"owner":{"type":["string","null"]},"file":{"type":"string"},"until":{"type":"string","format":"date"},"ended":{"type":"boolean"},"daysLeft":{"type":"integer","minimum":0},"policies":{"type":"array","items":{"type":"string"}},"rules":{"type":"array","items":{"type":"string"}},"match":{"$ref":"#/components/schemas/Match"},"when":{"type":["string","null"]},"used":{"type":"integer","minimum":0,"description":"Requests since the start."}},"required":["exception","reason","owner","file","until","ended","daysLeft","policies","rules","match","when","used"],"additionalProperties":false}}},"required":["revision","policies","exceptions"],"additionalProperties":false},"Question":{"type":"object","properties":{"tenant":{"type":"string","description":"The tenant whose request it is."},"operation":{"type":"string","description":"CreateAppInstanceUser when absent."},"path":{"type":"string","description":"The request target, for operations with facts in path or query."},"region":{"type":"string","description":"The region of its signature; when absent, one that the tenant may call in."},"request":{"type":"object","description":"The request's body."}},"required":["tenant"],"additionalProperties":false},"Explanation":{"oneOf":[{"type":"object","properties":{"decision":{"const":"invalid"},"message":{"type":"string"}},"required":["decision","message"],"additionalProperties":false},{"type":"object","properties":{"decision":{"enum":["allowed","denied"]},"violations":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}},"warnings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"}},"wouldChange":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},"exceptions":{"type":"array","items":{"type":"string"}},"changes":{"type":"array","items":{"$ref":"#/components/schemas/Change"}},"request":{"type":"object","description":"What would be sent."},"policies":{"type":"array","items":{"type":"string"},"description":"Those that apply."},"report":{"type":"array","items":{"type":"string"},"description":"Lines for people: each policy, each rule, what the request had and what would pass."}},"required":["decision","violations","warnings","changes","request","policies","report"],"additionalProperties":false}],"description":"What `gatehouse explain --format json` prints, and `report`."}}}}
    """#
}

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

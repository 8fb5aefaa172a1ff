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

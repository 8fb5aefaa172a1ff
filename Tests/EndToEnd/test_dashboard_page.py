"""The dashboard in a real browser: what it shows, to whom, by which means."""

import itertools

import pytest

import chromium
import gateways
import service
import wire
from gateways import CRM
from test_dashboard_api import MARKUP, TOKEN, shown  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(
    chromium.PROGRAM is None,
    reason="no Chromium here: install Debian's package chromium (scripts/setup.sh test does where it can be had)",
)

VIEWS = {
    "overview": "document.querySelector('.chart') && document.querySelector('.tile')",
    "live": "document.querySelector('main tbody tr')",
    "requests": "document.querySelector('main tbody tr')",
    "tenants": "document.querySelector('main tbody tr')",
    "policies": "document.querySelector('.policy')",
    "playground": "document.querySelector('textarea').value !== ''",
    "health": "document.querySelector('.check')",
}
SIZES = list(itertools.product((400, 1400), ("light", "dark")))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = chromium.Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, shown):  # noqa: F811
    with browser.page() as page:
        log_in(page, shown)
        yield page


def log_in(page, gateway):
    page.open(f"http://{gateway.admin}/")
    page.until("document.activeElement === document.querySelector('#token')")
    page.type(TOKEN)
    page.press("Enter")
    page.until("document.querySelector('.tile')")


def view(page, name, rest=""):
    page.evaluate(f"location.hash = '#/{name}{rest}'")
    page.until(VIEWS[name])


def test_who_has_no_token_sees_the_login_alone(browser, shown):  # noqa: F811
    with browser.page() as page:
        page.open(f"http://{shown.admin}/")
        assert page.evaluate("document.title") == "Log in – Gatehouse"
        assert ("textbox", "Token") in page.accessible() and ("button", "Log in") in page.accessible()
        page.type("wrong")
        page.press("Enter")
        page.until("document.querySelector('.wrong')")
        assert "That is not the token." in page.text()
        log_in(page, shown)
        assert page.evaluate("document.cookie") == "", "scripts do not see the session"
        page.evaluate("document.querySelector('#logout button').click()")
        page.until("document.querySelector('#token')")


@pytest.mark.parametrize("width,scheme", SIZES)
def test_each_view_fits_and_is_legible(browser, shown, tmp_path, width, scheme):  # noqa: F811
    with browser.page(width=width, scheme=scheme) as page:
        log_in(page, shown)
        for name in VIEWS:
            view(page, name)
            page.screenshot(tmp_path / f"{name}-{width}-{scheme}.png")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is too wide"
            assert page.evaluate(FAINT_TEXT) == [], name
        denied = "[...document.querySelectorAll('main tbody tr')].find((row) => row.innerText.includes('denied'))"
        view(page, "requests")
        page.evaluate(f"{denied}.querySelector('a').click()")
        page.until("document.querySelector('.stages .ended')")
        page.screenshot(tmp_path / f"request-{width}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(FAINT_TEXT) == []
        # The refused login of before is not this page's.
        assert [text for text in page.complaints() if "401" not in text] == []
        assert page.foreign_requests(f"http://{shown.admin}") == []


# Text whose contrast is below 4.5 (WCAG 2.2, 1.4.3), large or not; what is disabled or not seen does not count.
FAINT_TEXT = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; });
    return .2126 * x + .7152 * y + .0722 * z; };
  const ground = (element) => { for (let one = element; one; one = one.parentElement) {
    const colour = channels(getComputedStyle(one).backgroundColor); if (colour[3] > .99) return colour; } return [255, 255, 255, 1]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("svg, .hidden, .skip, script, style, noscript")) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push([walker.currentNode.data.trim().slice(0, 40), Number(ratio.toFixed(2))]);
  }
  return found;
})()"""


def test_what_a_screen_reader_is_told(page):
    for name in VIEWS:
        view(page, name)
        told = page.accessible()
        roles = [role for role, _ in told]
        for landmark in ("banner", "navigation", "main"):
            assert roles.count(landmark) == 1, (name, landmark)
        assert [text for role, text in told if role == "heading"][0] != ""
        nameless = [role for role, text in told
                    if role in ("button", "link", "textbox", "combobox", "searchbox", "table", "image", "img") and not text]
        assert nameless == [], name
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        assert page.evaluate("document.querySelectorAll('nav [aria-current=page]').length") == 1
        assert page.evaluate(
            "[...document.querySelectorAll('input, select, textarea')].every((one) => one.labels.length > 0)"
        ), name
        identities = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert len(identities) == len(set(identities)), name


def test_the_keyboard_goes_everywhere(page):
    page.evaluate("document.activeElement.blur()")
    page.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.press("Enter")
    page.until("document.activeElement === document.querySelector('main')")
    page.evaluate("document.querySelector('nav a').focus()")
    page.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Live"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.until("document.activeElement.tagName === 'H1' && document.title === 'Live – Gatehouse'")
    view(page, "playground")
    page.evaluate("document.querySelector('textarea').focus()")
    page.press("Tab")
    page.press("Enter")
    page.until("document.querySelector('main').innerText.includes('org-baseline')")


def test_a_name_that_is_markup_stays_text(page):
    for name in ("requests", "live"):
        view(page, name)
        assert MARKUP in page.text(), name
    page.evaluate(
        "[...document.querySelectorAll('main tbody tr')].find((row) => row.innerText.includes('onerror')).querySelector('a').click()"
    )
    page.until("document.querySelector('.stages')")
    page.evaluate("document.querySelector('main details').open = true")
    assert page.text().count(MARKUP) >= 2
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.events("Page.javascriptDialogOpening") == []
    # Even a script of ours that made markup of text would be stopped.
    assert page.evaluate(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'made'; } catch (error) { return error.name; } })()"
    ) == "TypeError"


def test_overview_shows_the_figures(page):
    text = page.text()
    for figure in ("Users created\n2\n", "Denied\n2\n", "Throttled\n1\n", "tags.required", "in order", "written", "present"):
        assert figure in text, figure
    assert page.evaluate("document.querySelectorAll('.chart .fill-denied').length") == 1
    page.evaluate("document.querySelector('main details summary').click()")
    page.until("document.querySelector('main details table')")


def test_search_narrows_and_links_keep_the_filters(page):
    view(page, "requests", "?decision=denied")
    assert page.evaluate("document.querySelector('#filter-decision').value") == "denied"
    page.until("document.querySelectorAll('main tbody tr').length === 2")
    page.evaluate("document.querySelector('#filter-userId').focus()")
    page.type("crm-bob")
    page.press("Enter")
    page.until("document.querySelectorAll('main tbody tr').length === 1")
    assert page.evaluate("location.hash") == "#/requests?userId=crm-bob&decision=denied"
    page.evaluate("location.hash = '#/requests?rule=tags.requird'")
    page.until("document.querySelector('[role=alert]')")
    assert "did you mean tags.required?" in page.text()


def test_live_requests_can_be_paused(page, shown):  # noqa: F811
    view(page, "live")
    page.until("document.querySelector('main [role=status]').textContent === 'Watching'")

    def send(user):
        shown.send(wire.signed_create(CRM, service.create_user(AppInstanceUserId=user, Name="Live")))

    # The journal's end is looked for when the first watcher comes.
    for number in range(50):
        send(f"crm-first-{number}")
        if page.evaluate("new Promise((done) => setTimeout(() => done(document.body.innerText.includes('crm-first')), 600))"):
            break
    page.until("document.body.innerText.includes('crm-first')")
    page.evaluate("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Pause').click()")
    send("crm-second")
    page.until("document.querySelector('main [role=status]').textContent === 'Paused; 1 new'")
    assert "crm-second" not in page.text()
    page.evaluate("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Go on').click()")
    page.until("document.body.innerText.includes('crm-second')")


def test_the_playground_explains_and_sends_nothing(page, shown):  # noqa: F811
    view(page, "playground")
    page.evaluate("document.querySelector('textarea').value = document.querySelector('textarea').value.replace('4711', '12')")
    page.evaluate("document.querySelector('main form').requestSubmit()")
    page.until("document.querySelector('main').innerText.includes('Violations')")
    assert "tags.value" in page.text() and "org-baseline" in page.text()
    page.evaluate("document.querySelector('textarea').value = '{ nonsense'")
    page.evaluate("document.querySelector('main form').requestSubmit()")
    page.until("document.querySelector('main [role=alert]')")
    assert "not strict JSON" in page.text()
    assert shown.setup.audit("--user-id", "crm-alice", "--rule", "tags.value") == []


def test_what_the_gateway_says_when_it_is_gone(browser, make_setup):
    with gateways.running(make_setup()) as gateway, browser.page() as page:
        page.open(f"http://{gateway.admin}/")
        page.until("document.querySelector('.tile')")
        assert page.evaluate("document.querySelector('#logout').hidden"), "there is nothing to log out of"
        gateway.stop()
        page.evaluate("location.hash = '#/tenants'")
        page.until("document.querySelector('[role=alert]')")
        assert "The gateway does not answer." in page.text()
        assert "no answer" in page.text()

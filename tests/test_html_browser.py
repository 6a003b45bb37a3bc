"""The HTML report in a real browser: what a reader sees, clicks and types.

These need Chromium with its driver and selenium; `nox -s browser` insists on them, elsewhere the
tests are skipped. The driver is told where both are, so that nothing is downloaded.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import ATTACK, FAILING, HOSTILE, LONG, PASSING, Hostile, long_report, report

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="selenium is not installed; `nox -s browser` has it"
)
from selenium.webdriver.common.by import By  # noqa: E402 - only where selenium is
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
PATIENCE_S = 30.0
EXCHANGES = 50_000

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium and its driver are not installed (Debian: chromium chromium-driver)",
)


class Reader:
    """Somebody who looks at a page.

    Args:
        driver: the browser.

    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file anew, with what comes behind `#`."""
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{fragment}")

    def open_scenario(self, path: Path, number: int, place: str = "") -> None:
        """Open a scenario's lanes, and wait until they are there."""
        self.open(path, f"#s-{number}{place}")
        self.wait("return document.querySelectorAll('.row').length > 0")

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """Wait until a script returns something true, and return it."""
        return WebDriverWait(self.driver, PATIENCE_S, 0.02).until(
            lambda _: self.js(script, *arguments)
        )

    def find(self, selector: str) -> Any:
        """Return the element that a selector names."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def seen(self, selector: str) -> list[str]:
        """Return the texts of all elements in sight that a selector names."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((one) => one.checkVisibility()).map((one) => one.textContent)"
        )
        return list(self.js(script, selector))

    def choose(self, element: str, value: str) -> None:
        """Choose a value of a list."""
        script = (
            "const list = document.getElementById(arguments[0]); list.value = arguments[1];"
            "list.dispatchEvent(new Event('change'))"
        )
        self.js(script, element, value)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def row_with(self, text: str) -> Any:
        """Return the row in sight that holds a text."""
        script = (
            "return [...document.querySelectorAll('.row')]"
            ".find((one) => one.textContent.includes(arguments[0]))"
        )
        return self.wait(script, text)

    def place(self, attribute: str, selector: str = ".row") -> int:
        """Return a number that the first such row bears."""
        script = "return document.querySelector(arguments[0]).getAttribute(arguments[1])"
        return int(self.js(script, selector, attribute))

    def media(self, **features: str) -> None:
        """Pretend that the reader prefers something."""
        listed = [{"name": name.replace("_", "-"), "value": features[name]} for name in features]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    def screen(self, width: int, height: int, *, mobile: bool) -> None:
        """Pretend that the screen has a size."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile},
        )

    def complaints(self) -> list[str]:
        """Return what the console says, warnings of the content policy included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for."""
        messages = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root with one
    for argument in ("--headless=new", "--disable-dev-shm-usage", "--hide-scrollbars", *sandbox):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def reader(chromium: Any) -> Iterator[Reader]:
    """A reader at a desk, who prefers light, and whose browser never complains."""
    reader = Reader(chromium)
    reader.screen(1280, 900, mobile=False)
    reader.media(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    reader.complaints()
    reader.requests()
    yield reader
    assert reader.complaints() == []
    assert {one for one in reader.requests() if not one.startswith(("file:", "data:"))} <= {
        "about:blank"
    }


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with a scenario that passes, one that fails, and one with an attack."""
    path = tmp_path_factory.mktemp("html") / "mixed.html"
    report(path, PASSING, FAILING, ATTACK, make_master=Hostile)
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with 100,000 operations."""
    path = tmp_path_factory.mktemp("html") / "long.html"
    long_report(path, EXCHANGES)
    return path


def test_only_the_file_itself_is_asked_for(reader: Reader, mixed: Path) -> None:
    """Whatever is opened in it."""
    for number in range(3):
        reader.open_scenario(mixed, number)
        reader.press(Keys.ARROW_DOWN, Keys.ENTER)
        reader.wait("return document.querySelector('#exchange h2') !== null")
    asked = {one.partition("#")[0] for one in reader.requests()}

    assert asked <= {"about:blank", "data:,", mixed.as_uri()}
    assert mixed.as_uri() in asked


def test_the_verdict_is_seen_first(reader: Reader, mixed: Path) -> None:
    """With the command that plays the run again, and the first failure, without scrolling."""
    reader.open(mixed)
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().top"

    assert reader.find("h1").text == "✕ FAIL a MUST clause is broken"
    assert reader.js(script, ".replay") < reader.js(script, ".failure") < 900


def test_filters_leave_what_fits(reader: Reader, mixed: Path) -> None:
    """By verdict, area, level and text, for clauses, the signs of the matrix, and scenarios."""
    reader.open(mixed)
    clauses = "tr.clause th"
    everything = set(reader.seen(clauses))
    reader.choose("by-verdict", "FAIL")
    failed = reader.seen(clauses)
    scenarios = reader.seen("tr.scenario th")
    faded = reader.js("return document.querySelectorAll('.cell.out').length")
    reader.choose("by-verdict", "")
    reader.choose("by-area", "CMD")
    of_area = reader.seen(clauses)
    reader.find("#no-filters").click()
    reader.choose("by-level", "MAY")
    may = reader.seen(clauses)
    reader.find("#no-filters").click()
    reader.find("#search").send_keys("s0")
    found = reader.seen(clauses)

    assert everything == {"CMD-5", "HTTP-1", "TMO-3", "HTTP-3"}
    assert (set(failed), scenarios) == ({"TMO-3", "HTTP-3"}, ["s1", "s2"])
    assert faded == 2
    assert (of_area, may) == (["CMD-5"], [])
    assert set(found) == {"CMD-5", "HTTP-1"}
    assert reader.find("#found").text == "2 clauses, 1 scenarios"


def test_a_click_opens_the_exchange(reader: Reader, mixed: Path) -> None:
    """Method, path, body and answer, with the place in the history."""
    reader.open_scenario(mixed, 1)
    reader.row_with("alpha: heartbeat").click()
    reader.wait("return document.querySelector('#exchange .answer') !== null")
    panel = reader.find("#exchange")

    assert panel.find_element(By.CSS_SELECTOR, ".request").text == "POST /api/agent/heartbeat"
    assert json.loads(panel.find_element(By.CSS_SELECTOR, ".body").text)["hostname"] == "alpha"
    assert json.loads(panel.find_element(By.CSS_SELECTOR, ".answer").text)["code"] == "OK"
    assert "Answer 200" in panel.text
    assert "operation " in panel.text
    reader.row_with("alpha: poll").click()
    reader.wait(
        "return document.getElementById('exchange').textContent.includes('holds command 1')"
    )


def test_an_event_has_an_address_of_its_own(reader: Reader, mixed: Path) -> None:
    """Which shows it again, whatever was filtered out."""
    reader.open_scenario(mixed, 1)
    reader.choose("row-kind", "timer seen")
    reader.wait("return document.querySelectorAll('.row').length === 2")
    reader.js("location.hash = '#s-1/6'")
    reader.wait("return document.getElementById('exchange').dataset.row === '6'")
    reader.press(Keys.ARROW_DOWN)
    reader.wait("return location.hash === '#s-1/7'")
    title = reader.find("#exchange-title").text
    reader.open_scenario(mixed, 1, "/7")
    reader.wait("return document.getElementById('exchange').dataset.row === '7'")

    assert reader.find("#exchange-title").text == title
    assert reader.find("#row-found").text.startswith("14 of 14")


def test_a_failure_leads_to_its_place_in_the_lanes(reader: Reader, mixed: Path) -> None:
    """The row where the expectation failed is chosen, in sight, and says what was expected."""
    reader.open(mixed)
    reader.find(".failure .button[href='#s-1/broken']").click()
    row = reader.row_with("here it fails")

    assert row.get_attribute("aria-selected") == "true"
    assert row.is_displayed()
    assert 'expected record.status: "success", seen "failed"' in row.text
    assert reader.row_with("by the master itself") is not None
    assert reader.row_with("of nothing") is not None


def test_the_keyboard_is_enough(reader: Reader, mixed: Path) -> None:
    """From the search to an exchange and back to where one came from."""
    reader.open_scenario(mixed, 1)
    reader.press("/")
    focused = "return document.activeElement.id"
    assert reader.js(focused) == "row-search"
    reader.press(Keys.ESCAPE)
    assert reader.js(focused) == "rows"
    active = "return document.getElementById('rows').getAttribute('aria-activedescendant')"
    reader.press(Keys.HOME, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert reader.js(active) == "row-2"
    reader.press(Keys.ENTER)
    reader.wait("return document.getElementById('exchange').dataset.row === '2'")
    reader.press(Keys.ARROW_DOWN)
    reader.wait("return document.getElementById('exchange').dataset.row === '3'")
    reader.press("n")
    assert "here it fails" in reader.find(".row[aria-selected=true]").text
    reader.press(Keys.ESCAPE)
    assert not reader.find("#exchange").is_displayed()
    reader.press(Keys.ESCAPE)
    reader.wait("return document.getElementById('scenario').hidden")
    assert reader.js("return document.activeElement.textContent") == "s1"
    reader.press("?")
    assert reader.js("return document.getElementById('help').open")
    reader.press(Keys.ESCAPE)
    assert not reader.js("return document.getElementById('help').open")


def test_whatever_has_the_focus_shows_it(reader: Reader, mixed: Path) -> None:
    """Tab goes through the page in its order, and each stop has an outline."""
    reader.open(mixed)
    stops = []
    for _ in range(12):
        reader.press(Keys.TAB)
        stops.append(
            reader.js(
                "const one = document.activeElement;"
                "return [one.textContent.trim().slice(0, 9), getComputedStyle(one).outlineStyle]"
            )
        )

    assert [stop[0] for stop in stops[:6]] == [
        *("To the re", "muster", "Failures", "Clauses", "Scenarios", "Keys ?")
    ]
    assert {stop[1] for stop in stops} == {"solid"}


def test_roles_say_what_is_what(reader: Reader, mixed: Path) -> None:
    """A list of options with their numbers, landmarks with names, and a text beside each sign."""
    reader.open_scenario(mixed, 1)
    row = reader.row_with("alpha: heartbeat")
    tree = reader.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {(node["role"]["value"], node["name"]["value"]) for node in tree if "name" in node}

    assert (row.get_attribute("role"), row.aria_role) == ("option", "option")
    assert int(row.get_attribute("aria-setsize")) > int(row.get_attribute("aria-posinset")) > 0
    assert ("listbox", "Events in order; Enter opens one") in named
    assert ("searchbox", "Search") in named
    assert any(role == "option" and "heartbeat" in name and "ok" in name for role, name in named)


def test_dark_and_light(reader: Reader, mixed: Path) -> None:
    """As the reader's system says, until the button says otherwise."""
    paper = "return getComputedStyle(document.body).backgroundColor"
    reader.open(mixed)
    light = reader.js(paper)
    reader.media(prefers_color_scheme="dark")
    dark = reader.js(paper)
    reader.wait("return document.getElementById('theme').textContent === 'Light'")
    reader.find("#theme").click()
    chosen = reader.js(paper)

    assert light == chosen == "rgb(255, 255, 255)"
    assert sum(int(part) for part in dark[4:-1].split(",")) < 100
    assert reader.find("#theme").text == "Dark"


@pytest.mark.parametrize("width", [320, 390, 700])
def test_a_phone_shows_it_without_scrolling_sideways(
    reader: Reader, mixed: Path, width: int
) -> None:
    """The overview, the lanes, and an open exchange, also a hostile one."""
    reader.screen(width, 844, mobile=True)
    widths = []
    for place in ("", "#s-1", "#s-2", "#s-2/4"):
        reader.open(mixed, place)
        if place:
            reader.wait("return document.querySelectorAll('.row').length > 0")
        widths.append(reader.js("return document.documentElement.scrollWidth"))

    assert widths == [width] * 4


def test_motion_is_only_for_those_who_like_it(reader: Reader, mixed: Path) -> None:
    """Jumping within the page is smooth unless the reader prefers less of it."""
    behaviour = "return getComputedStyle(document.documentElement).scrollBehavior"
    reader.open(mixed)
    less = reader.js(behaviour)
    reader.media(prefers_reduced_motion="no-preference")

    assert (less, reader.js(behaviour)) == ("auto", "smooth")


def test_a_hostile_answer_is_shown_and_does_nothing(reader: Reader, mixed: Path) -> None:
    """Its marks of direction are written out, and no element comes of it."""
    reader.open_scenario(mixed, 2)
    reader.row_with("/hostile/text").click()
    reader.wait("return document.querySelector('#exchange .answer') !== null")
    shown = reader.find("#exchange .answer").text

    assert shown.startswith(HOSTILE[:40])
    assert "\\u202etxt.exe\\u202c \\u001b[31m" in shown
    assert reader.js("return document.querySelectorAll('img, svg[onload], iframe').length") == 0
    assert reader.driver.title == "s2 – muster"


def test_a_megabyte_comes_a_page_at_a_time(reader: Reader, mixed: Path) -> None:
    """The first page at once, the next on demand, all of it in the end."""
    reader.open_scenario(mixed, 2)
    reader.row_with("/hostile/long").click()
    length = "return document.querySelector('#exchange .answer')?.textContent.length"
    first = reader.wait(length)
    reader.find("#exchange .answer + button").click()
    second = reader.js(length)
    reader.js(
        "const more = document.querySelector('#exchange .answer + button');"
        "while (!more.hidden) more.click()"
    )

    assert (first, second, reader.js(length)) == (20_000, 40_000, len(LONG))


def test_a_hundred_thousand_operations(reader: Reader, long: Path) -> None:
    """All of them are there, a few exist, and the last is as near as the first."""
    reader.open_scenario(long, 0)
    rows = "return document.querySelectorAll('.row').length"
    few = reader.js(rows)
    total = reader.place("aria-setsize")
    reader.press(Keys.END)
    reader.row_with(f"agent-{(EXCHANGES - 1) % 50}: ")
    last = reader.place("aria-posinset", ".row[aria-selected=true]")
    reader.press(Keys.PAGE_UP, Keys.PAGE_UP, Keys.ENTER)
    reader.wait("return document.querySelector('#exchange .answer') !== null")
    reader.press(Keys.ESCAPE)
    reader.js("document.getElementById('rows').scrollTop = 700000")
    reader.wait("return document.getElementById('row-25000') !== null")
    middle = reader.place("aria-posinset")

    assert total == last == EXCHANGES
    assert few < 100
    assert reader.js(rows) < 100
    assert 24_000 < middle < 26_000
    assert reader.find("#row-found").text == "50,000 of 50,000 events"


def test_a_search_in_a_long_run(reader: Reader, long: Path) -> None:
    """It looks into every body, and the filter by lane holds with it."""
    reader.open_scenario(long, 0)
    reader.press("/")
    reader.press("host-7x")
    reader.wait("return document.getElementById('row-found').textContent.startsWith('334 of')")
    reader.choose("row-lane", "9")
    reader.wait("return document.querySelector('.nothing') !== null")

    assert reader.seen("#row-found") == ["0 of 50,000 events"]
    assert reader.seen(".nothing") == ["Nothing of this scenario fits the filters."]


def test_the_map_leads_to_a_place(reader: Reader, long: Path) -> None:
    """A click in its middle shows the middle."""
    reader.open_scenario(long, 0)
    webdriver.ActionChains(reader.driver).click(reader.find("#map")).perform()
    reader.wait("return document.querySelector('.row[aria-selected=true]') !== null")
    place = reader.place("aria-posinset", ".row[aria-selected=true]")

    assert 24_000 < place < 26_000


def test_without_javascript(reader: Reader, mixed: Path) -> None:
    """Verdict, failures and tables are there; what needs scripts is not, and a note says why."""
    reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        reader.open(mixed)
        text = reader.find("body").text
        shown = [reader.find(one).is_displayed() for one in ("#clause-filters", "#theme", ".copy")]
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    assert "✕ FAIL a MUST clause is broken" in text
    assert 'record.status: "success"' in text
    assert "Without JavaScript" in text
    assert "TMO-3" in text
    assert shown == [False, False, False]


def test_a_browser_that_cannot_unpack_says_so(reader: Reader, mixed: Path) -> None:
    """And shows everything else."""
    script = {"source": "delete window.DecompressionStream"}
    made = reader.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    try:
        reader.open(mixed, "#s-0")
        said = reader.wait("return document.getElementById('trouble').textContent")
    finally:
        reader.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)

    assert "cannot unpack the history" in said
    assert reader.find("#trouble").is_displayed()
    assert not reader.find("#stage").is_displayed()


def test_it_can_be_printed(reader: Reader, mixed: Path) -> None:
    """Without what is only for a screen."""
    reader.open(mixed)
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = [reader.find(one).is_displayed() for one in (".top", "#clause-filters", ".failure")]
        pdf = reader.driver.execute_cdp_cmd("Page.printToPDF", {})["data"]
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    assert shown == [False, False, True]
    assert len(pdf) > 20_000

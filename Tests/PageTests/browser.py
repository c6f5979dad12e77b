"""A browser in the hands of a person, who finds things by what is written on them.

Each page of ours that comes up is looked at: it says nothing on the console, which includes what its
Content-Security-Policy forbids; axe-core finds nothing against WCAG 2.2 A and AA; it is not wider than the screen.
"""

import dataclasses
import pathlib
import shutil

import axe_playwright_python
from selenium import webdriver
from selenium.common import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

DEADLINE = 60
AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclasses.dataclass(frozen=True)
class Screen:
    name: str
    width: int
    height: int
    is_phone: bool
    colours: str


SCREENS = [Screen("desk", 1280, 800, False, "light"), Screen("phone", 390, 844, True, "dark")]


def start():
    """Headless Chromium as the system has it; also as root in a container."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "INFO"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(DEADLINE)
    driver.set_script_timeout(DEADLINE)
    return driver


class Browser:
    def __init__(self, driver, site, screen):
        self._driver, self._site, self._screen = driver, site, screen
        driver.delete_all_cookies()
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": screen.is_phone,
        })
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": screen.colours},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]})

    @property
    def heading(self):
        return self._driver.find_element(By.TAG_NAME, "h1").text

    @property
    def alert(self):
        return self._driver.find_element(By.CSS_SELECTOR, "[role=alert]").text

    @property
    def text(self):
        return self._driver.find_element(By.TAG_NAME, "main").text

    def open(self, url):
        self._driver.get(url)
        self._look(200)

    def open_long(self, url):
        """As `open`, and unfolds what is folded up. Of articles, which are made alike, axe-core gets one in thirty:
        it would take a minute for all of them."""
        self._driver.get(url)
        self._driver.execute_script("document.querySelectorAll('details').forEach(part => part.open = true)")
        self._expect_no_scrolling_sideways()
        self._driver.execute_script(
            "document.querySelectorAll('article').forEach((one, index) => { if (index % 30) one.remove() })"
        )
        self._look(200)

    def fill_in(self, label, text):
        field = self._field(label)
        field.clear()
        field.send_keys(text)

    def value(self, label):
        return self._field(label).get_property("value")

    def press(self, button, status=200):
        self._go_on(self._button(button).click, status)

    def press_enter(self, label, status=200):
        field = self._field(label)
        self._go_on(lambda: field.send_keys(Keys.ENTER), status)

    def photograph(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._driver.save_screenshot(path)

    def _field(self, label):
        """By how its label begins: a hint may follow."""
        return self._only("input:not([type=hidden])", lambda name: name.startswith(label))

    def _button(self, label):
        return self._only("button", lambda name: name == label)

    def _only(self, selector, is_meant):
        every = self._driver.find_elements(By.CSS_SELECTOR, selector)
        names = [element.accessible_name for element in every]
        found = [element for element, name in zip(every, names) if is_meant(name)]
        assert len(found) == 1, f"There is {names}."
        return found[0]

    def _go_on(self, act, status):
        before = self._page()
        act()
        self._wait(lambda driver: self._page() != before)
        self._look(status)

    def _page(self):
        return self._driver.execute_script("return performance.timeOrigin")

    def _wait(self, until):
        # A page that goes away may take the question along.
        WebDriverWait(self._driver, DEADLINE, 0.1, [WebDriverException]).until(until)

    def _look(self, status):
        self._wait(lambda driver: driver.execute_script("return document.readyState") == "complete")
        self.expect_calm_console()
        if self._driver.current_url.startswith(self._site):
            self._expect_status(status)
            self._expect_no_scrolling_sideways()
            self._expect_accessible()

    def expect_calm_console(self):
        """A page's own status is told there too, which is looked at by itself."""
        said = [entry["message"] for entry in self._driver.get_log("browser")]
        said = [message for message in said if "the server responded with a status of" not in message]
        assert not said, said

    def _expect_status(self, status):
        found = self._driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")
        assert found == status, f"{found}: {self.text}"

    def _expect_no_scrolling_sideways(self):
        width = self._driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= self._screen.width, f"{width} pixels wide"

    def _expect_accessible(self):
        self._driver.execute_script(AXE)
        result = self._driver.execute_async_script(
            "const done = arguments[1]; axe.run({runOnly: arguments[0], preload: false}).then(done, done)", RULES
        )
        found = [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in result["violations"] for node in violation["nodes"]
        ]
        assert not found, "\n".join(found)
        assert result["passes"]

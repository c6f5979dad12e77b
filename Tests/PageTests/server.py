"""The server as editors and people know it: its API, and the mail that it sends."""

import email
import email.policy
import html
import pathlib
import re

import requests
from selenium.webdriver.support.wait import WebDriverWait

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Server:
    def __init__(self, url, outbox):
        self.url, self._outbox = url, pathlib.Path(outbox)

    def post(self, path, json=None, token=None, status=200):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.post(self.url + path, json=json, headers=headers, timeout=10)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def register(self, address, password):
        return self.post("/v1/auth/register", {"address": address, "password": password}, status=201)

    def register_and_verify(self, address, password):
        person = self.register(address, password)
        code = self._mail_to(address, "is your Breath Master code")["subject"].split()[0]
        self.post("/v1/me/emails/verify", {"address": address, "code": code}, token=person["accessToken"], status=204)
        return person

    def sign_in(self, address, password, status=200):
        return self.post("/v1/auth/sign-in", {"address": address, "password": password}, status=status)

    def ask_device_sign_in(self, name):
        """What an editor does: the code for its person, and its own."""
        form = {"client_id": "editor", "device_name": name}
        return requests.post(f"{self.url}/v1/auth/device", form, timeout=10).json()

    def take_tokens(self, asked):
        """What the editor asks every few seconds."""
        form = {"grant_type": GRANT, "device_code": asked["device_code"], "client_id": "editor"}
        return requests.post(f"{self.url}/v1/auth/device/token", form, timeout=10).json()

    def link_mailed_to(self, address, subject):
        message = self._mail_to(address, subject).get_body(["html"]).get_content()
        return html.unescape(re.search('<a href="([^"]+)">', message)[1])

    def _mail_to(self, address, subject):
        def there(server):
            for file in server._outbox.glob("*.eml"):
                mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                if mail["to"] == address and subject in mail["subject"]:
                    return mail
            return None

        return WebDriverWait(self, timeout=20, poll_frequency=0.1).until(there, f"No mail to {address}.")

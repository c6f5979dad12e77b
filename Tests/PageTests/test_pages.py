"""The stories of the pages."""

import json

PASSWORD, ANOTHER = "a quiet lake at dawn", "a loud lake at dusk"


def test_link_verifies_address(server, browser, address):
    server.register(address, PASSWORD)
    server.sign_in(address, PASSWORD, status=401)
    browser.open(server.link_mailed_to(address, "is your Breath Master code"))
    assert browser.heading == f"Is {address} yours?"

    browser.fill_in("Password", ANOTHER)
    browser.press("Yes, it is mine", status=401)
    assert browser.alert == "That isn’t the password of the account that asked."
    server.sign_in(address, PASSWORD, status=401)

    browser.fill_in("Password", PASSWORD)
    browser.press("Yes, it is mine")
    assert browser.heading == "Thank you"
    server.sign_in(address, PASSWORD)


def test_link_resets_password(server, browser, address):
    server.register_and_verify(address, PASSWORD)
    server.post("/v1/auth/password/forgotten", {"address": address}, status=202)
    link = server.link_mailed_to(address, "Your new Breath Master password")
    browser.open(link)
    assert browser.heading == "Choose a password"

    browser.fill_in("New password", "password12345")
    browser.press("Take this one", status=422)
    assert "password" in browser.alert
    server.sign_in(address, PASSWORD)

    browser.fill_in("New password", ANOTHER)
    browser.press("Take this one")
    assert browser.heading == "It’s yours"
    server.sign_in(address, PASSWORD, status=401)
    server.sign_in(address, ANOTHER)

    browser.open(link)
    browser.fill_in("New password", PASSWORD)
    browser.press("Take this one", status=410)
    assert browser.heading == "This link is over"


def test_password_lets_device_in(server, browser, address):
    person = server.register_and_verify(address, PASSWORD)
    asked = server.ask_device_sign_in("Laptop")
    browser.open(asked["verification_uri_complete"])
    assert browser.value("Code") == asked["user_code"]

    browser.fill_in("E-mail address", address)
    browser.fill_in("Password", ANOTHER)
    browser.press("Go on", status=401)
    assert browser.alert

    browser.fill_in("Password", PASSWORD)
    browser.press_enter("Password")
    assert browser.heading == "Let Laptop in?"
    assert address in browser.text and asked["user_code"] in browser.text
    browser.press("Yes, let it in")
    assert browser.heading == "It’s in"
    assert server.take_tokens(asked)["uid"] == person["uid"]


def test_no_keeps_device_out(server, browser, address):
    server.register_and_verify(address, PASSWORD)
    asked = server.ask_device_sign_in("Somebody else’s laptop")
    browser.open(asked["verification_uri"])
    browser.fill_in("Code", asked["user_code"].lower())
    browser.fill_in("E-mail address", address)
    browser.fill_in("Password", PASSWORD)
    browser.press("Go on")
    browser.press("No")
    assert browser.heading == "It stays out"
    assert server.take_tokens(asked)["error"] == "access_denied"


def test_google_lets_device_in(server, browser, address):
    asked = server.ask_device_sign_in("Laptop")
    browser.open(asked["verification_uri_complete"])
    browser.press("Go on with Google")
    browser.fill_in("Your claims", json.dumps({"sub": address, "email": address}))
    browser.press("Go on")
    assert browser.heading == "Let Laptop in?"
    assert address in browser.text
    browser.press("Yes, let it in")
    assert browser.heading == "It’s in"
    assert server.take_tokens(asked)["uid"]


def test_no_at_google_signs_nobody_in(server, browser):
    asked = server.ask_device_sign_in("Laptop")
    browser.open(asked["verification_uri_complete"])
    browser.press("Go on with Google")
    browser.fill_in("Your claims", "nobody")
    browser.press("Go on")
    assert browser.heading == "Nobody was signed in"
    assert server.take_tokens(asked)["error"] == "authorization_pending"


def test_contract_is_readable(server, browser):
    browser.open_long(f"{server.url}/docs")
    assert browser.heading == "Breath Master API"

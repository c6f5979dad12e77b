"""A mail server that tells what it was given, and is as difficult as one asks it to be.

    mail-sink.py

Prints its port, then a line of JSON for each message that it took, and serves until its
standard input ends. What it does with a message is for the recipient to say: busy@ is
refused for now, gone@ for good, full@ only after the data, and silent@ gets no answer.
Who signs in as "mailer" must have the password "s@crét".
"""

import asyncio
import json
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.split("@")[0]
        if local == "busy":
            return "451 4.3.0 Come back later"
        if local == "gone":
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].split("@")[0]
        if local == "silent":
            await asyncio.sleep(3600)
        if local == "full":
            return "554 5.2.2 Mailbox full"
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": getattr(session, "auth_data", None),
            "data": envelope.original_content.decode("ascii"),
        }
        print(json.dumps(message), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"mailer" and data.password == "s@crét".encode()
    return AuthResult(success=good, auth_data=data.login.decode())


controller = Controller(
    Sink(),
    hostname="127.0.0.1",
    port=0,
    authenticator=authenticate,
    auth_require_tls=False,
    decode_data=False,
)
controller.start()
print(controller.server.sockets[0].getsockname()[1], flush=True)
sys.stdin.read()
controller.stop()

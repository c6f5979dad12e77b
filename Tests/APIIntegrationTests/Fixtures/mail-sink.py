"""A mail server that tells what it was given, and is as difficult as one asks it to be.

    mail-sink.py FILE

Prints its port, and serves until its standard input ends. Each message that it took is a
line of JSON in the file. What it does with a message is for the recipient to say: busy@ is
refused for now, gone@ for good, full@ only after the data, and silent@ gets no answer.
Who signs in as "mailer" must have the password "s@crét".
"""

import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult


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
            open(sys.argv[1] + ".silent", "w").close()
            await asyncio.sleep(3600)
        if local == "full":
            return "554 5.2.2 Mailbox full"
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": getattr(session, "auth_data", None),
            "data": envelope.original_content.decode("ascii"),
        }
        with open(sys.argv[1], "a") as file:
            print(json.dumps(message), file=file)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"mailer" and data.password == "s@crét".encode()
    return AuthResult(success=good, handled=False, auth_data=data.login.decode())


async def main():
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Sink(), authenticator=authenticate, auth_require_tls=False), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())

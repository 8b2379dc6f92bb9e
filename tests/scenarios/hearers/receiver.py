"""Whoever hears of runs, and remembers: a mail server with TLS and log-in, and an address for webhooks.

receiver.py FOLDER: certificate and key are FOLDER/own.pem and own.key; FOLDER/ports gets the ports, FOLDER/mails and FOLDER/hooks a line of JSON
for each that was taken, FOLDER/refused one for each that was not. FOLDER/mode says what both do: `down`, `grey` (refuse each mailbox once) or
nothing."""

import asyncio
import email
import email.policy
import http.server
import json
import os
import ssl
import sys
import threading

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = sys.argv[1]
lock = threading.Lock()
seen = set()


def mode():
    try:
        with open(os.path.join(FOLDER, "mode")) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def note(name, **facts):
    with lock, open(os.path.join(FOLDER, name), "a") as file:
        file.write(json.dumps(facts) + "\n")


def refuses(whom):
    if mode() == "down":
        return True
    if mode() == "grey" and whom not in seen:
        seen.add(whom)
        return True
    return False


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if refuses(address):
            note("refused", to=address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        note(
            "mails", to=envelope.rcpt_tos, tls=session.ssl is not None, subject=message["Subject"], people=message["To"],
            plain=parts.get("text/plain"), html=parts.get("text/html"), has_picture="image/png" in parts,
        )
        return "250 2.0.0 taken"


def authenticator(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"lab", b"s3cret"))


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        bad = refuses(self.path)
        note("refused" if bad else "hooks", path=self.path, id=self.headers["webhook-id"], body=body)
        self.send_response(503 if bad else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(os.path.join(FOLDER, "own.pem"), os.path.join(FOLDER, "own.key"))


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


def factory():
    return SMTP(
        Handler(), tls_context=context, require_starttls=True, auth_required=True, authenticator=authenticator, hostname="mail", loop=loop
    )


mail = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hooks.serve_forever, daemon=True).start()
ports = [mail.sockets[0].getsockname()[1], hooks.server_address[1]]
with open(os.path.join(FOLDER, "ports.part"), "w") as file:
    json.dump(ports, file)
os.rename(os.path.join(FOLDER, "ports.part"), os.path.join(FOLDER, "ports"))
loop.run_forever()

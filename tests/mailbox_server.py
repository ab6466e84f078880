"""A mail server that keeps what it is given."""

from __future__ import annotations

import json
import socketserver
import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType


class Mailbox(socketserver.ThreadingTCPServer):
    """
    A mail server that keeps what it is given.

    ``refuses`` is what it answers to a recipient instead of taking it, by address, "*" for all others; while it is
    ``away`` it hangs up on everybody. ``attempts`` are the recipients that it was asked to take.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []  # to whom, and the subject with the text below it
        self.messages: list[EmailMessage] = []  # the same as they came
        self.refuses: dict[str, str] = {}
        self.away = False
        self.connections = 0
        self.attempts: list[str] = []
        super().__init__(("127.0.0.1", 0), _Delivery)

    def __enter__(self) -> Mailbox:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()  # stops within 10 ms
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        super().__exit__(kind, error, trace)

    def connection(self) -> str:
        """``AIRFLOW_CONN_SMTP_DEFAULT`` for this server."""
        return json.dumps(
            {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.server_address[1],
                "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"},
            }
        )


class _Delivery(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        recipients: list[str] = []
        self.server.connections += 1
        if self.server.away:
            return
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            command = line.decode().strip()
            answer = "250 ok"
            if command.upper().startswith("RCPT"):
                recipient = command.partition("<")[2].rstrip(">")
                self.server.attempts.append(recipient)
                refuses = self.server.refuses
                answer = refuses.get(recipient, refuses.get("*", answer))
                if answer.startswith("2"):
                    recipients.append(recipient)
            if command.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n")), policy=default)
                assert isinstance(mail, EmailMessage)
                self.server.messages.append(mail)
                body = mail.get_body(("html", "plain"))
                self.server.mails.append((recipients, f"{mail['Subject']}\n{body.get_content() if body else ''}"))
            self.wfile.write(f"{answer}\r\n".encode())
            if command.upper() == "QUIT":
                return

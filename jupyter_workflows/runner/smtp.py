"""Talking to a mail server."""

from __future__ import annotations

import contextlib
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import RunnerError

VARIABLE = "JUPYTER_WORKFLOWS_SMTP_URL"
_EXAMPLE = "smtp://USER:PASSWORD@mail.example.org:587?from=workflows@example.org"
_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION = 587
_PARAMETERS = ("from", "starttls", "ca")
#: Seconds for each answer of the server.
_TIMEOUT = 20.0


class Refused(Exception):
    """The server will never take this message: its recipient does not exist, for example."""


class NotNow(Exception):
    """The server did not take this message this time.

    Parameters
    ----------
    everything
        Whether it would not take any other either.
    """

    def __init__(self, reason: str, *, everything: bool) -> None:
        super().__init__(reason)
        self.everything = everything


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How mail is sent.

    Parameters
    ----------
    encryption
        ``tls`` from the first byte, ``starttls`` or nothing, ``offered``: STARTTLS if the server has it,
        ``none``.
    ca
        File with certificates to trust beside, for a server of one's own.
    """

    host: str
    port: int
    sender: str
    encryption: Literal["tls", "starttls", "offered", "none"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None

    @property
    def domain(self) -> str:
        """The domain of the sender's address."""
        return address(self.sender).domain

    @classmethod
    def take_from(cls, environment: MutableMapping[str, str]) -> SmtpSettings | None:
        """Return the settings of a process's environment, and remove them from it.

        The processes that it starts, kernels among them, have no use for the password.

        Raises
        ------
        RunnerError
            The URL cannot be understood.
        """
        url = environment.pop(VARIABLE, "").strip()
        return cls.from_url(url) if url else None

    @classmethod
    def from_url(cls, url: str) -> SmtpSettings:
        """Return the settings that a URL says.

        Parameters
        ----------
        url
            ``smtp[s]://USER:PASSWORD@HOST:PORT?from=ADDRESS&starttls=1&ca=FILE``. Without ``starttls``, it
            is asked for where there is a password or on port 587, and used elsewhere if it is offered;
            ``starttls=0`` turns it off.

        Raises
        ------
        RunnerError
            It cannot be understood. The message does not repeat it, for it may have a password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _wrong(str(error)) from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise _wrong("it is not smtp://HOST or smtps://HOST")
        given = _parameters(parts.query)
        if not given.get("from"):
            raise _wrong("it does not say from whom mail comes")
        try:
            sender = str(address(given["from"]).addr_spec)
        except ValueError as error:
            raise _wrong(f"from: {error}") from None
        ca = Path(given["ca"]).expanduser() if given.get("ca") else None
        if ca is not None and not ca.is_file():
            raise _wrong(f"ca: there is no file {ca}")
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        if (user is None) != (password is None):
            raise _wrong("a user needs a password, and a password a user")
        encryption = _encryption(
            parts.scheme, given.get("starttls"), port, password is not None, parts.hostname
        )
        default = _SUBMISSION if encryption == "starttls" else _PORTS[parts.scheme]
        return cls(parts.hostname, port or default, sender, encryption, user, password, ca)


def address(text: str) -> Address:
    """Return an e-mail address.

    Raises
    ------
    ValueError
        It is none.
    """
    name, _, domain = text.strip().rpartition("@")
    try:
        if not name or not domain or not text.strip().isprintable():
            raise ValueError
        return Address(addr_spec=f"{name}@{domain.encode('idna').decode()}")
    except (HeaderParseError, ValueError, IndexError):
        raise ValueError(f"{text!r} is not an e-mail address") from None


class Connection:
    """A connection to the server, ready to take messages."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self._client = client

    def send(self, message: EmailMessage) -> None:
        """Hand a message over.

        Raises
        ------
        Refused
            For ever.
        NotNow
            This time.
        """
        try:
            self._client.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, reason = next(iter(error.recipients.values()))
            raise _refusal(code, reason, "the recipient was refused", final=code >= 500) from error
        except smtplib.SMTPSenderRefused as error:
            # That can be mended in the settings, or at the server.
            raise _refusal(error.smtp_code, error.smtp_error, "the sender was refused") from error
        except smtplib.SMTPDataError as error:
            final = error.smtp_code >= 500
            raise _refusal(
                error.smtp_code, error.smtp_error, "the message was refused", final=final
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(f"the server cannot take this address: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotNow(_reason(error), everything=True) from error


@contextlib.contextmanager
def connected(settings: SmtpSettings) -> Iterator[Connection]:
    """Connect and sign in.

    Raises
    ------
    NotNow
        That was not possible.
    """
    try:
        client = _connect(settings)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotNow(f"{settings.host}:{settings.port}: {_reason(error)}", everything=True) from error
    try:
        yield Connection(client)
    finally:
        try:
            client.quit()
        except (smtplib.SMTPException, OSError):
            client.close()


def _connect(settings: SmtpSettings) -> smtplib.SMTP:
    trust = ssl.create_default_context()
    if settings.ca is not None:
        trust.load_verify_locations(cafile=settings.ca)
    client: smtplib.SMTP
    # Not the default, for which the name service is asked, and perhaps waited for.
    name = socket.gethostname().partition(".")[0] or "localhost"
    if settings.encryption == "tls":
        client = smtplib.SMTP_SSL(
            settings.host, settings.port, local_hostname=name, timeout=_TIMEOUT, context=trust
        )
    else:
        client = smtplib.SMTP(settings.host, settings.port, local_hostname=name, timeout=_TIMEOUT)
    try:
        client.ehlo_or_helo_if_needed()
        offered = settings.encryption == "offered" and client.has_extn("starttls")
        if settings.encryption == "starttls" or offered:
            client.starttls(context=trust)
            client.ehlo_or_helo_if_needed()
        if settings.user is not None and settings.password is not None:
            client.login(settings.user, settings.password)
    except BaseException:
        client.close()
        raise
    return client


def _parameters(query: str) -> Mapping[str, str]:
    found = dict(parse_qsl(query, keep_blank_values=True))
    for name in found:
        if name not in _PARAMETERS:
            raise _wrong(f"there is no parameter {name!r}, only {', '.join(_PARAMETERS)}")
    return found


def _encryption(
    scheme: str, starttls: str | None, port: int | None, password: bool, host: str
) -> Literal["tls", "starttls", "offered", "none"]:
    if starttls not in (None, "0", "1"):
        raise _wrong("starttls is 1 or 0")
    if scheme == "smtps":
        if starttls == "1":
            raise _wrong("smtps is encrypted from the start, without starttls")
        return "tls"
    if starttls is not None:
        return "starttls" if starttls == "1" else "none"
    if (password and not _is_here(host)) or port == _SUBMISSION:
        return "starttls"
    return "offered"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(reason: str) -> RunnerError:
    return RunnerError(f"{VARIABLE} cannot be used: {reason}", f"Write {_EXAMPLE}")


def _refusal(code: int, reason: bytes | str, what: str, *, final: bool = False) -> Refused | NotNow:
    words = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    text = f"{what}: {code} {' '.join(words.split())}"
    return Refused(text) if final else NotNow(text, everything=False)


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return str(_refusal(error.smtp_code, error.smtp_error, "user or password were refused"))
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return " ".join(str(error).split()) or type(error).__name__

"""What an install token brings: a script, or a compose file, that starts an agent.

The words are our own. They start an agent that is already on the machine, or in an image that is:
the reference publishes no programs. What callers rely on is kept: the script is for `sh`, and has the
node's token in AGENT_TOKEN.
"""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

_ILLEGAL: Final = re.compile(r"[ \t\r\n\"'`$\\]")
_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{8,128}")
_VERSION: Final = re.compile(r"[0-9A-Za-z._+-]{1,64}", re.ASCII)
PLACEHOLDER: Final = "<AGENT_TOKEN>"
"""In place of a token that is not to be shown."""


class Plan(Struct, frozen=True, gc=False, kw_only=True):
    """What to install.

    Attributes:
        master_url: where the agent finds its master.
        token: the node's.
        version: the agent's release.
        mode: systemd, docker or foreground.
        arch: amd64, arm64 or auto; for the record, as nothing is downloaded.
        proxy_url: the proxy it goes through, if any.
        ca_cert_file: the certificate it trusts, if any.

    """

    master_url: str
    token: str
    version: str
    mode: str
    arch: str
    proxy_url: str = ""
    ca_cert_file: str = ""

    def check(self) -> None:
        """Make sure that nothing in here can end a quotation, in a shell or in YAML.

        Raises:
            ValueError: something can, or is not what it is for.

        """
        if not _is_url(self.master_url, ("http", "https")):
            raise ValueError("the master's address is no plain HTTP URL")
        if self.token != PLACEHOLDER and not _TOKEN.fullmatch(self.token):
            raise ValueError("the token is not hexadecimal")
        if not is_version(self.version):
            raise ValueError("the version has other characters than versions have")
        if self.proxy_url and not _is_url(self.proxy_url, ("http", "https", "socks5", "socks5h")):
            raise ValueError("the proxy's address is no plain URL")
        if self.ca_cert_file and not _is_path(self.ca_cert_file):
            raise ValueError("the certificate is at no plain absolute path")


def is_version(text: str) -> bool:
    """Return whether a text may be the version of an agent."""
    return _VERSION.fullmatch(text.strip()) is not None


def is_plain_url(text: str) -> bool:
    """Return whether a text is an HTTP URL without credentials, query and fragment."""
    parts = _split(text)
    return _is_url(text, ("http", "https")) and not (
        parts is None or parts.username or parts.password or parts.query or parts.fragment
    )


def _split(text: str) -> SplitResult | None:
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    parts = _split(text)
    return (
        parts is not None
        and bool(parts.netloc)
        and parts.scheme in schemes
        and not _ILLEGAL.search(text)
    )


def _is_path(text: str) -> bool:
    clean = "/" + "/".join(part for part in text.split("/") if part not in ("", ".", ".."))
    return text == clean and not _ILLEGAL.search(text)


def script(plan: Plan) -> str:
    """Return the script for a machine, whatever the mode.

    Raises:
        ValueError: the plan cannot be quoted.

    """
    plan.check()
    ways = {"systemd": _SYSTEMD, "docker": _DOCKER, "foreground": _FOREGROUND}
    start = ways.get(plan.mode, "")  # a preview may be of no known mode
    more = "".join(
        f'{name}="{value}"\nexport {name}\n'
        for name, value in (
            ("BACKUPX_AGENT_PROXY_URL", plan.proxy_url),
            ("BACKUPX_AGENT_CA_CERT_FILE", plan.ca_cert_file),
        )
        if value
    )
    return f"""#!/bin/sh
# Starts the agent of one node. The token below is the node's: keep it to yourself.
set -eu
MASTER_URL="{plan.master_url}"
AGENT_TOKEN="{plan.token}"
AGENT_VERSION="{plan.version}"
BACKUPX_AGENT_MASTER="$MASTER_URL"
BACKUPX_AGENT_TOKEN="$AGENT_TOKEN"
export BACKUPX_AGENT_MASTER BACKUPX_AGENT_TOKEN
{more}{start}"""


_FOREGROUND: Final = "exec backupx agent\n"

_DOCKER: Final = """exec docker run --detach --restart unless-stopped --name backupx-agent \\
    --env BACKUPX_AGENT_MASTER --env BACKUPX_AGENT_TOKEN \\
    "awuqing/backupx:$AGENT_VERSION" agent
"""

_SYSTEMD: Final = """exec systemd-run --unit backupx-agent --property Restart=always \\
    --setenv BACKUPX_AGENT_MASTER --setenv BACKUPX_AGENT_TOKEN \\
    backupx agent
"""


def compose(plan: Plan) -> str:
    """Return a compose file.

    Raises:
        ValueError: the plan cannot be quoted.

    """
    plan.check()
    more = "".join(
        f'      {name}: "{value}"\n'
        for name, value in (
            ("BACKUPX_AGENT_PROXY_URL", plan.proxy_url),
            ("BACKUPX_AGENT_CA_CERT_FILE", plan.ca_cert_file),
        )
        if value
    )
    return f"""services:
  backupx-agent:
    image: "awuqing/backupx:{plan.version}"
    command: ["agent"]
    restart: unless-stopped
    environment:
      BACKUPX_AGENT_MASTER: "{plan.master_url}"
      BACKUPX_AGENT_TOKEN: "{plan.token}"
{more}"""

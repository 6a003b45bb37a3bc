"""What each kind of storage target needs in its configuration, and which of it is secret.

The real master makes a client from each configuration and refuses what no client can be made of;
this one makes no clients and keeps the checks that need none. It knows the kinds that the real
one names itself, not the further ones it takes over from rclone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from master.protocol.errors import ApiError
from master.protocol.profiles import Profile
from master.service import storage

MASK: Final = "********"

Config = Mapping[str, Any]

_GO_KINDS: Final = {str: "string", bool: "bool", int: "number", float: "number"}
_EXPECTED: Final = {str: "string", bool: "bool", int: "int"}


class _ConfigError(Exception):
    """What is wrong with a configuration, in the real master's words."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of target.

    Attributes:
        reader: what the real master calls the configuration.
        fields: the keys it reads, with their types.
        check: says what is missing, or nothing.
        secrets: keys whose values no answer shows.

    """

    reader: str
    fields: Mapping[str, type]
    check: Callable[[Config], str]
    secrets: tuple[str, ...] = ()


def _needs(keys: tuple[str, ...], message: str) -> Callable[[Config], str]:
    return lambda config: "" if all(config[key].strip() for key in keys) else message


def _in_order(*checks: Callable[[Config], str]) -> Callable[[Config], str]:
    return lambda config: next(filter(None, (check(config) for check in checks)), "")


def _needs_region(message: str) -> Callable[[Config], str]:
    return lambda config: "" if config["endpoint"].strip() or config["region"].strip() else message


_NO_BASE64: Final = re.compile("[^A-Za-z0-9_-]")
_REVEALED_BYTES_MIN: Final = 16


def _reveals(config: Config) -> str:
    """Say what is wrong with a password that is not as rclone's `obscure` command writes it.

    A client of a WebDAV server wants it in that form: 16 bytes and the password, in base64.
    """
    text = config["password"]
    stray = _NO_BASE64.search(text)
    at = stray.start() if stray else len(text) - 1 if len(text) % 4 == 1 else None
    if at is not None:
        wrong = f"base64 decode failed when revealing password - is it obscured?: illegal base64 data at input byte {at}"
    elif text and len(text) * 3 // 4 < _REVEALED_BYTES_MIN:
        wrong = "input too short when revealing password - is it obscured?"
    else:
        return ""
    return f"create rclone fs for webdav: couldn't decrypt password: {wrong}"


_QINIU_REGIONS: Final = ("z0", "cn-east-2", "z1", "z2", "na0", "as0")


def _qiniu(config: Config) -> str:
    region = config["region"].strip()
    if config["endpoint"].strip() or region in _QINIU_REGIONS:
        return ""
    if not region:
        return "qiniu kodo region is required"
    known = ", ".join(_QINIU_REGIONS)
    return f"unsupported qiniu region: {region} (supported: {known})"


def _texts(*keys: str) -> dict[str, type]:
    return dict.fromkeys(keys, str)


_KEY_PAIR: Final = ("accessKeyId", "secretAccessKey")
_BUCKET: Final = _texts("region", "bucket", *_KEY_PAIR, "endpoint")

PROVIDERS: Final[Mapping[str, Provider]] = {
    "local_disk": Provider(
        "LocalDiskConfig",
        _texts("basePath"),
        _needs(("basePath",), "local disk basePath is required"),
    ),
    "s3": Provider(
        "S3Config",
        {**_BUCKET, "forcePathStyle": bool},
        _in_order(
            _needs(("bucket",), "s3 bucket is required"),
            _needs(_KEY_PAIR, "s3 credentials are required"),
        ),
        _KEY_PAIR,
    ),
    "webdav": Provider(
        "WebDAVConfig",
        _texts("endpoint", "username", "password", "basePath"),
        _in_order(_needs(("endpoint",), "webdav endpoint is required"), _reveals),
        ("username", "password"),
    ),
    "google_drive": Provider(
        "GoogleDriveConfig",
        _texts(
            "clientId", "clientSecret", "redirectUri", "redirectUrl", "refreshToken", "folderId"
        ),
        _in_order(
            _needs(("clientId", "clientSecret"), "google drive client credentials are required"),
            _needs(("refreshToken",), "google drive refresh token is required"),
        ),
        ("clientId", "clientSecret", "refreshToken"),
    ),
    "ftp": Provider(
        "FTPConfig",
        {**_texts("host", "username", "password", "basePath"), "port": int, "useTLS": bool},
        _needs(("host",), "FTP host is required"),
        ("username", "password"),
    ),
    "aliyun_oss": Provider(
        "AliyunConfig",
        {**_BUCKET, "internalNetwork": bool},
        _needs_region("aliyun oss region is required"),
        _KEY_PAIR,
    ),
    "tencent_cos": Provider(
        "TencentConfig", _BUCKET, _needs_region("tencent cos region is required"), _KEY_PAIR
    ),
    "qiniu_kodo": Provider("QiniuConfig", _BUCKET, _qiniu, _KEY_PAIR),
    "rclone": Provider(
        "",
        {},
        lambda config: "" if _text(config, "backend") else "rclone backend type is required",
        ("pass", "password", "secret_access_key", "client_secret", "token"),
    ),
}
"""Every kind of target by its name, as v2.0.0 knows it."""

_RELAYING_DISK: Final = replace(
    PROVIDERS["local_disk"], fields={**PROVIDERS["local_disk"].fields, "masterRelay": bool}
)


def _text(config: Config, key: str) -> str:
    value = config.get(key)
    return value.strip() if isinstance(value, str) else ""


def provider(kind: str, profile: Profile) -> Provider:
    """Return what a kind of target is like in a release.

    Raises:
        ApiError: STORAGE_PROVIDER_UNSUPPORTED.

    """
    found = PROVIDERS.get(kind.strip())
    if found is None:
        raise ApiError("STORAGE_PROVIDER_UNSUPPORTED")
    relays = storage.relays(profile) and found is PROVIDERS[storage.LOCAL_DISK]
    return _RELAYING_DISK if relays else found


def check(kind: Provider, config: Config) -> Config:
    """Return a configuration as a client reads it, and refuse what no client could be made of.

    Raises:
        ApiError: STORAGE_TARGET_INVALID_CONFIG.

    """
    try:
        client_config = {**config, **_decoded(kind, config)}
    except _ConfigError as error:
        raise ApiError("STORAGE_TARGET_INVALID_CONFIG", str(error)) from None
    complaint = kind.check(client_config)
    if complaint:
        raise ApiError("STORAGE_TARGET_INVALID_CONFIG", complaint)
    return client_config


def _decoded(kind: Provider, config: Config) -> dict[str, Any]:
    """Return the fields a client reads: any case of a key will do, `null` leaves it out."""
    names = {name.lower(): name for name in kind.fields}
    decoded: dict[str, Any] = {name: field() for name, field in kind.fields.items()}
    for key in sorted(config):
        name = names.get(key.lower())
        value = config[key]
        if name is None or value is None:
            continue
        if not _fits(value, kind.fields[name]):
            raise _ConfigError(
                f"decode config: json: cannot unmarshal {_kind(value)} into Go struct field"
                f" {kind.reader}.{name} of type {_EXPECTED[kind.fields[name]]}"
            )
        decoded[name] = value
    return decoded


def _fits(value: Any, field: type) -> bool:
    if field is int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool)
    return isinstance(value, field)


def _kind(value: Any) -> str:
    return _GO_KINDS.get(type(value)) or ("array" if isinstance(value, list) else "object")


def masked(kind: Provider, config: Config) -> dict[str, Any]:
    """Return a configuration with a mask in place of each secret that is set."""
    secrets = {key: MASK for key in kind.secrets if key in config and config[key] != ""}
    return {**config, **secrets}


def merged(kind: Provider, stored: Config, wanted: Config) -> dict[str, Any]:
    """Return a changed configuration: what is left out stays, and so does a masked secret."""
    together = {**stored, **wanted}
    for key in kind.secrets:
        if together.get(key) in ("", MASK):
            together[key] = stored.get(key)
    return together

"""Second factors of a log-in (since v2.3.0): shown if a database brings some, and never checked.

Whoever has one can therefore not log in here; an API key can.
"""

from typing import Any

import msgspec

from master.now import Now
from master.protocol import times
from master.protocol.profiles import Profile
from master.store.rows import User


def known(profile: Profile) -> bool:
    """Return whether a release has second factors, and users whom it can reach with them."""
    return profile.rich_user


def required(profile: Profile, user: User) -> bool:
    """Return whether a user's password is not enough."""
    return known(profile) and bool(
        user.two_factor_enabled
        or user.webauthn_credentials.strip()
        or user.email_otp_enabled
        or user.sms_otp_enabled
    )


def shown(profile: Profile, user: User, now: Now) -> dict[str, Any]:
    """Return what a release tells of a user beyond name, role and address, by the wire's names."""
    if not known(profile):
        return {}
    keys = len(_items(user.webauthn_credentials))
    return {
        "phone": user.phone,
        "mfaEnabled": required(profile, user),
        "twoFactorEnabled": bool(user.two_factor_enabled),
        "twoFactorRecoveryCodesRemaining": len(_items(user.two_factor_recovery_code_hashes)),
        "webAuthnEnabled": keys > 0,
        "webAuthnCredentialCount": keys,
        "trustedDeviceCount": sum(_lasts(one, now) for one in _items(user.trusted_devices)),
        "emailOtpEnabled": bool(user.email_otp_enabled),
        "smsOtpEnabled": bool(user.sms_otp_enabled),
    }


def _items(text: str) -> list[Any]:
    try:
        value = msgspec.json.decode(text.strip() or "[]")
    except msgspec.DecodeError:
        return []
    return value if isinstance(value, list) else []


def _lasts(device: Any, now: Now) -> bool:
    try:
        return times.parse(device["expiresAt"]) > now.ns
    except (KeyError, TypeError, ValueError):
        return False

"""What users see of themselves and of each other, by release, and what a second factor does."""

import json
from typing import Any, Final

import pytest
from cluster import EVERY, cluster, profiles

from harness.target import ADMIN
from master.store.rows import User

FACTORS: Final = {
    "mfaEnabled": False,
    "twoFactorEnabled": False,
    "twoFactorRecoveryCodesRemaining": 0,
    "webAuthnEnabled": False,
    "webAuthnCredentialCount": 0,
    "trustedDeviceCount": 0,
    "emailOtpEnabled": False,
    "smsOtpEnabled": False,
}
LOGIN: Final = {"username": ADMIN["username"], "password": ADMIN["password"]}


def order(value: dict[str, Any]) -> str:
    return json.dumps(value)


@pytest.mark.parametrize("profile", EVERY)
def test_a_log_in_tells_who_has_logged_in(profile: str) -> None:
    """Since v2.3.0 with addresses and factors, in this order; the own page shows the same."""
    with cluster(profile) as made:
        user = made.data("POST", "/api/auth/login", LOGIN)["user"]
        page = made.data("GET", "/api/auth/profile")

    name = {"id": 1, "username": ADMIN["username"], "displayName": ADMIN["displayName"]}
    rich = {**name, "email": "", "phone": "", "role": "admin", **FACTORS}
    expected = rich if profile in profiles("rich_user") else {**name, "role": "admin"}
    assert order(user) == order(page) == order(expected)


@pytest.mark.parametrize("profile", EVERY)
def test_admins_see_the_same_of_others(profile: str) -> None:
    """With a phone that was given, since there are any; it is lost when a change leaves it out."""
    body = {
        "username": "second",
        "password": "correct-horse",
        "displayName": "S",
        "phone": " 123 ",
        "role": "viewer",
    }
    with cluster(profile) as made:
        shown = made.data("POST", "/api/users", body)
        changed = made.data("PUT", "/api/users/2", {**body, "phone": ""})
        listed = made.data("GET", "/api/users")

    created = shown["createdAt"]
    name = {"id": 2, "username": "second", "displayName": "S", "email": ""}
    if profile in profiles("rich_user"):
        rest = {"role": "viewer", "disabled": False, **FACTORS, "createdAt": created}
        assert order(shown) == order({**name, "phone": "123", **rest})
        assert order(changed) == order({**name, "phone": "", **rest})
    else:
        rest = {"role": "viewer", "disabled": False, "createdAt": created}
        assert order(shown) == order(changed) == order({**name, **rest})
    assert listed[1] == changed


@pytest.mark.parametrize("profile", profiles("rich_user"))
@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (
            {"two_factor_enabled": 1, "two_factor_recovery_code_hashes": '["a","b"]'},
            {"twoFactorEnabled": True, "twoFactorRecoveryCodesRemaining": 2},
        ),
        (
            {"webauthn_credentials": '[{"id":"x"}]'},
            {"webAuthnEnabled": True, "webAuthnCredentialCount": 1},
        ),
        ({"email_otp_enabled": 1}, {"emailOtpEnabled": True}),
        ({"sms_otp_enabled": 1}, {"smsOtpEnabled": True}),
        ({"webauthn_credentials": "broken"}, {}),
    ],
)
def test_whoever_has_a_second_factor_needs_it(
    profile: str, columns: dict[str, Any], shown: dict[str, object]
) -> None:
    """A password alone is not enough, and none is checked here; what there is is shown."""
    devices = '[{"expiresAt":"2000-01-01T00:00:00Z"},{"expiresAt":"2100-01-01T00:00:00Z"},{}]'
    with cluster(profile) as made:
        made.database.update(User, 1, trusted_devices=devices, **columns)

        refusal = made.refusal("POST", "/api/auth/login", LOGIN)
        page = made.data("GET", "/api/auth/profile")

    assert refusal == (401, "AUTH_2FA_REQUIRED")
    expected = {**FACTORS, "mfaEnabled": True, "trustedDeviceCount": 1, **shown}
    assert {name: page[name] for name in FACTORS} == expected


@pytest.mark.parametrize(
    "wrong", [{"twoFactorCode": "12345"}, {"trustedDeviceName": "x" * 129}, {"rememberDevice": 1}]
)
@pytest.mark.parametrize("profile", EVERY)
def test_what_a_factor_would_need_is_read(profile: str, wrong: dict[str, object]) -> None:
    """By releases that know of it; others do not look at it."""
    with cluster(profile) as made:
        answer = made.send("POST", "/api/auth/login", {**LOGIN, **wrong})

    assert answer.status == (400 if profile in profiles("rich_user") else 200)

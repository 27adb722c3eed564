"""Verifies deliveries as receivers in Python do. Reads one JSON document: {"method", "secret", "deliveries": [{"headers", "body"}]}.
Prints one line per delivery: "ok", or what is wrong. "hmac" and "ed25519" need the standard library only, "standardwebhooks" and "cryptography"
their packages. For the asymmetric ones "secret" is the public key, `whpk_` and base64."""

import base64
import hashlib
import hmac
import json
import sys


def by_hmac(secret, headers, body):
    expected = "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    names = [name for name in ("x-cloudthinker-signature", "x-webhook-signature") if name in headers]
    if not names:
        return "no signature"
    return "ok" if all(hmac.compare_digest(headers[name], expected) for name in names) else "wrong signature"


def by_standardwebhooks(secret, headers, body):
    from standardwebhooks import Webhook, WebhookVerificationError

    try:
        Webhook(secret).verify(body, headers)
        return "ok"
    except WebhookVerificationError as error:
        return str(error)


# ed25519 as RFC 8032 defines it, in affine coordinates: slow, and of nobody else's code.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P


def times(number, point):
    sum_ = (0, 1)
    for bit in bin(number)[2:]:
        sum_ = add(sum_, sum_)
        if bit == "1":
            sum_ = add(sum_, point)
    return sum_


def point_of(encoded):
    number = int.from_bytes(encoded, "little")
    y, odd = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square:
        raise ValueError("not a point")
    return (P - x if x & 1 != odd else x), y


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def holds(public, message, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % ORDER
    return times(s, BASE) == add(point_of(r), times(k, point_of(public)))


def holds_by_package(public, message, signature):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def by_v1a(verifies):
    def check(key, headers, body):
        public = base64.b64decode(key.removeprefix("whpk_"))
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
        signatures = [one[4:] for one in headers["webhook-signature"].split(" ") if one.startswith("v1a,")]
        if not signatures:
            return "no signature"
        ok = any(verifies(public, message, base64.b64decode(one)) for one in signatures)
        return "ok" if ok else "wrong signature"

    return check


given = json.load(sys.stdin)
verify = {
    "hmac": by_hmac,
    "standardwebhooks": by_standardwebhooks,
    "ed25519": by_v1a(holds),
    "cryptography": by_v1a(holds_by_package),
}[given["method"]]
for delivery in given["deliveries"]:
    print(verify(given["secret"], delivery["headers"], delivery["body"]))

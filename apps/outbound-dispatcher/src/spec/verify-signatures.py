"""Verifies deliveries as receivers in Python do. Reads one JSON document: {"method", "secret", "deliveries": [{"headers", "body"}]}.
Prints one line per delivery: "ok", or what is wrong. "hmac" needs the standard library only, "standardwebhooks" its package."""

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


given = json.load(sys.stdin)
verify = {"hmac": by_hmac, "standardwebhooks": by_standardwebhooks}[given["method"]]
for delivery in given["deliveries"]:
    print(verify(given["secret"], delivery["headers"], delivery["body"]))

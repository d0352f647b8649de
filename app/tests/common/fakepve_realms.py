"""Log-ins of people, which fakepve 0.5.0 has without the answer to a second factor and without a ticket in the place of the
password.

As PVE::API2::AccessControl and PVE::AccessControl of Proxmox VE 9.1 do it: the half ticket holds what may answer, the answer
is the password of a second request with `tfa-challenge`, and a code is good once.
"""

import json
import secrets
import time
import urllib.parse

from fakepve import PveError
from fakepve.server import ok, params


class Realms:
    """A mixin in front of FakePve."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # user -> {"totp": [codes], "recovery": [codes]}, each good once; {"webauthn": {}} for a key.
        self.factors = {}
        self.half_tickets = {}

    def _routes_realms(self):
        return [("GET", "/access/domains", self._domains)]

    async def _domains(self, values, user):
        # As captured of Proxmox VE 9.1, and one that nobody has a password in.
        return [{"type": "openid", "realm": "sso"}, {"type": "pve", "comment": "Proxmox VE authentication server", "realm": "pve"},
                {"type": "pam", "comment": "Linux PAM standard authentication", "realm": "pam"}]

    async def _ticket(self, request):
        values = await params(request)
        user, password = str(values.get("username", "")), str(values.get("password", ""))
        if "@" not in user:
            user += "@" + str(values.get("realm", "pam"))
        challenge = values.get("tfa-challenge")
        if challenge is not None:
            if self.half_tickets.get(challenge) != user or not self._factor(user, password):
                raise PveError(401, "authentication failure")
            return self._granted(user)
        ticket = self.tickets.get(password)
        if ticket is not None:
            if ticket["user"] != user or ticket["expires"] < time.time():
                raise PveError(401, "authentication failure")
            return self._granted(user)
        if not self.check_password(user, password):
            raise PveError(401, "authentication failure")
        # fakepve's own switch is for everybody, with a code that nobody has.
        factors = self.factors.get(user, {"totp": []} if self.tfa else {})
        if factors:
            told = {kind: list(range(len(codes))) if kind == "recovery" else True for kind, codes in factors.items()}
            half = "PVE:!tfa!{0}:{1:08X}::{2}".format(
                urllib.parse.quote(json.dumps(told), safe=""), int(time.time()), secrets.token_hex(24))
            self.half_tickets[half] = user
            return ok({"ticket": half, "username": user, "NeedTFA": 1, "CSRFPreventionToken": "0:x", "cap": {}})
        return self._granted(user)

    def _factor(self, user, response):
        kind, _, code = response.partition(":")
        codes = self.factors.get(user, {}).get(kind) or []
        if code not in codes:
            return False
        codes.remove(code)
        return True

    def _granted(self, user):
        ticket, csrf = self.issue_ticket(user)
        return ok({"ticket": ticket, "CSRFPreventionToken": csrf, "username": user, "cap": {}})

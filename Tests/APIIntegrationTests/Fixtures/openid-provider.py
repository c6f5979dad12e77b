"""A provider of OpenID Connect that acts as Google does, and signs what one asks it to.

    openid-provider.py

Prints its address, and serves until its standard input ends. People are signed in by the
library Authlib, with codes, PKCE, nonces and the secret of the client "breathmaster". Who sits
at the browser is for the browser to say, by `login_hint`: JSON with the claims of that person;
without it, the page asks. Beside what a provider has:

POST /mint    an ID token for {"claims", "header", "key"}; "key" is one of "first", "second" and
              "stranger", or "none", or "public" for HS256 with the first key's public half
POST /keys    which of the keys the provider shows: {"keys": ["first", "second"]}
POST /answer  what is odd from now on about its answer on itself: another "issuer", another "status" (of 302 it leads
              to where the answer is as it should be), or spaces that make it so many "bytes" long
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "yes"  # On this machine alone.

app = Flask(__name__)
keys = {name: RSAKey.generate_key(2048, parameters={"kid": name}) for name in ("first", "second", "stranger")}
shown = ["first"]
odd = {}
codes = {}


class Client(ClientMixin):
    client_id = "breathmaster"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, uri):
        return uri.endswith("/sign-in/google")

    def check_client_secret(self, secret):
        return hmac.compare_digest(secret, "kept to ourselves+")

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_post"

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


class Code(dict, AuthorizationCodeMixin):
    code_challenge = property(lambda self: self["code_challenge"])
    code_challenge_method = property(lambda self: self["code_challenge_method"])

    def get_redirect_uri(self):
        return self["redirect_uri"]

    def get_scope(self):
        return self["scope"]

    def get_nonce(self):
        return self["nonce"]

    def get_auth_time(self):
        return None

    get_acr = get_amr = get_auth_time


class AuthorizationCode(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

    def save_authorization_code(self, code, request):
        data = request.payload.data
        names = ("code_challenge", "code_challenge_method", "nonce")
        codes[code] = Code(
            {name: data.get(name) for name in names},
            redirect_uri=request.payload.redirect_uri, scope=request.payload.scope, user=request.user,
        )

    def query_authorization_code(self, code, client):
        return codes.get(code)

    def delete_authorization_code(self, code):
        for name in [name for name, known in codes.items() if known is code]:
            del codes[name]

    def authenticate_user(self, code):
        return code["user"]


class IDToken(OpenIDCode):
    def exists_nonce(self, nonce, request):
        return False

    def get_client_algorithm(self, client):
        return "RS256"

    def get_encode_header(self, client):
        return {"alg": "RS256", "kid": shown[-1], "typ": "JWT"}

    def get_client_claims(self, client):
        return {"iss": address, "aud": [client.client_id], "exp": int(time.time()) + 3600, "iat": int(time.time())}

    def resolve_client_private_key(self, client):
        return keys[shown[-1]]

    def generate_user_info(self, user, scope):
        return UserInfo(user)


server = AuthorizationServer(app, lambda id: Client() if id == Client.client_id else None, lambda token, request: None)
server.register_grant(AuthorizationCode, [CodeChallenge(required=True), IDToken(require_nonce=True)])


@app.get("/elsewhere")
def addresses():
    return {
        "issuer": address, "authorization_endpoint": f"{address}/authorize", "token_endpoint": f"{address}/token",
        "jwks_uri": f"{address}/keys",
    }


@app.get("/.well-known/openid-configuration")
def configuration():
    text = json.dumps(addresses() | {"issuer": odd.get("issuer", address)}).ljust(odd.get("bytes", 0))
    return text, odd.get("status", 200), {"Content-Type": "application/json", "Location": "/elsewhere"}


@app.post("/answer")
def be_odd():
    odd.update(request.json)
    return {}


@app.get("/keys")
def key_set():
    # As Google has them; and one for another algorithm, which nothing may be signed with.
    own = [keys[name].as_dict(private=False) | {"alg": "RS256", "use": "sig"} for name in shown]
    return {"keys": own + [keys["stranger"].as_dict(private=False) | {"alg": "PS256", "kid": "stranger"}]}


@app.post("/keys")
def show_keys():
    shown[:] = request.json["keys"]
    return {}


@app.get("/authorize")
def authorize():
    hint = request.args.get("login_hint")
    if not hint:
        return "<!doctype html><title>Who are you?</title><form>" + "".join(
            f'<input type="hidden" name="{name}" value="{value}">' for name, value in request.args.items()
        ) + '<label>Your claims <input name="login_hint"></label><button>Go on</button></form>'
    if hint == "nobody":
        return redirect(f"{request.args['redirect_uri']}?error=access_denied&state={request.args['state']}")
    return server.create_authorization_response(
        grant=server.get_consent_grant(end_user=json.loads(hint)), grant_user=json.loads(hint)
    )


@app.post("/token")
def token():
    return server.create_token_response()


@app.post("/mint")
def mint():
    wish = request.json
    header, claims, key = wish["header"], wish["claims"], wish.get("key", "first")
    if key in keys:
        return {"token": jwt.encode(header, claims, keys[key], [header["alg"]])}

    def part(bytes):
        return base64.urlsafe_b64encode(bytes).rstrip(b"=")

    signed = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    public = keys["first"].as_pem(private=False)
    signature = hmac.digest(public, signed, hashlib.sha256) if key == "public" else b""
    return {"token": (signed + b"." + part(signature)).decode()}


listener = make_server("127.0.0.1", 0, app, threaded=True)
address = f"http://127.0.0.1:{listener.port}"
threading.Thread(target=listener.serve_forever, daemon=True).start()
print(address, flush=True)
sys.stdin.read()

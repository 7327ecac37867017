"""An issuer of tokens: keys of every algorithm, a JWKS that may change, served over HTTP."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://issuer.test"


def b64(data: bytes | dict) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int, length: int | None = None) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    """One key with its kid; signs with the one algorithm that its type has."""

    def __init__(self, algorithm: str, kid: str):
        self.algorithm, self.kid = algorithm, kid
        self.secret = {"HS256": lambda: b"a secret of thirty-two bytes, ok",
                       "RS256": lambda: rsa.generate_private_key(65537, 2048),
                       "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                       "EdDSA": ed25519.Ed25519PrivateKey.generate}[algorithm]()

    def jwk(self) -> dict:
        return {"kid": self.kid, "alg": self.algorithm, "use": "sig"} | self.public()

    def public(self) -> dict:
        if self.algorithm == "HS256":
            return {"kty": "oct", "k": b64(self.secret)}
        public = self.secret.public_key()
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}

    def pem(self) -> bytes:
        return self.secret.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        if self.algorithm == "HS256":
            return hmac.digest(self.secret, text, hashlib.sha256)
        if self.algorithm == "RS256":
            return self.secret.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "ES256":
            r, s = decode_dss_signature(self.secret.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.secret.sign(text)

    def token(self, header: dict | None = None, **claims) -> str:
        """A token that is good for an hour, unless the claims say otherwise; a claim of None is left out."""
        now = int(time.time())
        body = {"iss": ISSUER, "aud": "reelhouse", "sub": "someone", "exp": now + 3600, "scope": "viewer"} | claims
        body = {name: value for name, value in body.items() if value is not None}
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{b64(head)}.{b64(body)}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"


class Issuer:
    """Serves `keys` as a JWKS. `fails` makes it answer 500."""

    def __init__(self):
        self.keys, self.requests, self.fails = [], 0, False
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.requests += 1
                body = json.dumps({"keys": [key.jwk() for key in issuer.keys]}).encode()
                self.send_response(500 if issuer.fails else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/jwks.json"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

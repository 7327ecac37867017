#include "auth/key_set.h"

#include <algorithm>
#include <array>

#include <cjose/cjose.h>
#include <openssl/evp.h>

#include "base/hash.h"

// libcjose knows RS256, ES256 and HS256; Ed25519 (RFC 8037) is OpenSSL's.

namespace reel::auth {
namespace {

constexpr std::size_t kKeysMax = 100;
constexpr std::size_t kRsaBitsMin = 2048;
constexpr std::size_t kSecretBytesMin = 32;  //!< RFC 7518 §3.2: not shorter than the hash

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using JoseKey = std::unique_ptr<cjose_jwk_t, Releaser<cjose_jwk_release>>;
using JoseSignature = std::unique_ptr<cjose_jws_t, Releaser<cjose_jws_release>>;
using OpensslKey = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using OpensslDigest = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;

std::string_view text_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

//! How the keys of a type verify.
struct KeyKind {
  std::string_view type;
  std::string_view curve;  //!< empty: the type has none
  std::string_view algorithm;
  std::array<std::string_view, 3> members;  //!< that make the key
  //! Checked here: libcjose ignores what follows an ES256 signature. 0: as long as the key.
  std::size_t signature_bytes;
};
constexpr std::array kKinds = {
    KeyKind{"RSA", "", "RS256", {"n", "e", ""}, 0},
    KeyKind{"EC", "P-256", "ES256", {"crv", "x", "y"}, 64},
    KeyKind{"OKP", "Ed25519", "EdDSA", {"crv", "x", ""}, 64},
    KeyKind{"oct", "", "HS256", {"k", "", ""}, 32},
};

//! nullptr when the key is for something else.
const KeyKind* kind_of(const json::Value& jwk) {
  const std::string_view use = text_member(jwk, "use");
  if (!use.empty() && use != "sig") return nullptr;
  if (const json::Value* operations = jwk.find("key_ops")) {
    const json::Array* items = operations->as_array();
    if (items == nullptr) return nullptr;
    const bool verifies = std::any_of(items->begin(), items->end(), [](const json::Value& item) {
      return item == json::Value("verify");
    });
    if (!verifies) return nullptr;
  }
  const std::string_view algorithm = text_member(jwk, "alg");
  for (const KeyKind& kind : kKinds) {
    if (text_member(jwk, "kty") != kind.type) continue;
    if (!kind.curve.empty() && text_member(jwk, "crv") != kind.curve) continue;
    return algorithm.empty() || algorithm == kind.algorithm ? &kind : nullptr;
  }
  return nullptr;
}

//! libcjose aborts the process on what is not base64url, so it must not see that.
bool is_encoded(const json::Value& jwk, const KeyKind& kind) {
  return std::all_of(kind.members.begin(), kind.members.end(), [&](std::string_view member) {
    return member.empty() || member == "crv" || from_base64url(text_member(jwk, member));
  });
}

//! Only what makes the public or secret key; the library need not see the rest of the file.
std::string essential(const json::Value& jwk, const KeyKind& kind) {
  json::Value out{json::Object{}};
  out.set("kty", std::string(kind.type));
  for (const std::string_view member : kind.members) {
    if (!member.empty()) out.set(member, std::string(text_member(jwk, member)));
  }
  return json::to_text(out);
}

Result<OpensslKey> ed25519_key(const json::Value& jwk) {
  const auto bytes = from_base64url(text_member(jwk, "x"));
  OpensslKey key;
  if (bytes) {
    key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                          reinterpret_cast<const unsigned char*>(bytes->data()),
                                          bytes->size()));
  }
  if (key == nullptr) return invalid("it is no Ed25519 key");
  return key;
}

Result<JoseKey> jose_key(const json::Value& jwk, const KeyKind& kind) {
  if (!is_encoded(jwk, kind)) return invalid("its parts are not base64url");
  const std::string text = essential(jwk, kind);
  cjose_err error{};
  JoseKey key(cjose_jwk_import(text.data(), text.size(), &error));
  if (key == nullptr) return invalid("it is no {} key", kind.type);
  const std::size_t bits = cjose_jwk_get_keysize(key.get(), &error);
  if (kind.type == "RSA" && bits < kRsaBitsMin) {
    return invalid("an RSA key needs {} bits at least, not {}", kRsaBitsMin, bits);
  }
  if (kind.type == "oct" && bits < kSecretBytesMin * 8) {
    return invalid("a secret for HS256 needs {} bits at least, not {}", kSecretBytesMin * 8, bits);
  }
  return key;
}

bool verify_ed25519(EVP_PKEY* key, const TokenParts& parts, std::string_view signature) {
  const OpensslDigest context(EVP_MD_CTX_new());
  if (context == nullptr) return false;
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                          bytes(parts.signing_input), parts.signing_input.size()) == 1;
}

bool verify_jose(const cjose_jwk_t* key, std::string_view token) {
  cjose_err error{};
  const JoseSignature signature(cjose_jws_import(token.data(), token.size(), &error));
  return signature != nullptr && cjose_jws_verify(signature.get(), key, &error);
}

Failure bad_token(std::string_view why) { return unauthorized("the token is refused: {}", why); }

}  // namespace

Result<TokenParts> TokenParts::parse(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return bad_token("it is no signed JWT");
  }
  TokenParts parts;
  parts.signing_input = token.substr(0, second);
  parts.payload = token.substr(first + 1, second - first - 1);
  parts.signature = token.substr(second + 1);
  const auto header_text = from_base64url(token.substr(0, first));
  // Looked at here and not left to the library, which forgives trailing characters.
  const bool encoded = header_text && from_base64url(parts.payload) && !parts.signature.empty() &&
                       from_base64url(parts.signature);
  if (!encoded) return bad_token("it is no signed JWT");
  const auto header = json::parse(*header_text, 8);
  if (!header || header->as_object() == nullptr) return bad_token("its header is no JSON object");
  if (header->find("crit") != nullptr || header->find("b64") != nullptr) {
    return bad_token("its header asks for extensions");
  }
  parts.algorithm = text_member(*header, "alg");
  parts.key_id = text_member(*header, "kid");
  return parts;
}

struct KeySet::Key {
  std::string id;
  std::string_view algorithm;
  std::size_t signature_bytes = 0;
  JoseKey jose;        //!< or
  OpensslKey ed25519;  //!< one of the two
};

KeySet::KeySet() = default;
KeySet::~KeySet() = default;
KeySet::KeySet(KeySet&&) noexcept = default;
KeySet& KeySet::operator=(KeySet&&) noexcept = default;

Result<std::unique_ptr<KeySet::Key>> KeySet::read_key(const json::Value& jwk, Secrets secrets) {
  const KeyKind* kind = kind_of(jwk);
  if (kind == nullptr) return nullptr;
  if (kind->type == "oct" && secrets == Secrets::refused) {
    return invalid("a secret key must not be published");
  }
  auto key = std::make_unique<Key>();
  key->id = text_member(jwk, "kid");
  key->algorithm = kind->algorithm;
  key->signature_bytes = kind->signature_bytes;
  if (kind->type == "OKP") {
    REEL_ASSIGN(key->ed25519, ed25519_key(jwk));
  } else {
    REEL_ASSIGN(key->jose, jose_key(jwk, *kind));
  }
  return key;
}

Result<KeySet> KeySet::parse(std::string_view text, Secrets secrets) {
  REEL_ASSIGN(const json::Value document, json::parse(text));
  const json::Value* member = document.find("keys");
  const json::Array* items = member == nullptr ? nullptr : member->as_array();
  if (items == nullptr) return at("/keys", invalid("a JWKS has an array 'keys'"));
  if (items->size() > kKeysMax) return at("/keys", invalid("more than {} keys", kKeysMax));
  KeySet set;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto key = read_key((*items)[i], secrets);
    if (!key) {
      return at(fmt::format("/keys/{}", i), invalid("key {}: {}", i, key.error().message()));
    }
    if (*key != nullptr) set.keys_.push_back(*std::move(key));
  }
  return set;
}

std::size_t KeySet::size() const { return keys_.size(); }

bool KeySet::fits(const Key& key, const TokenParts& parts) const {
  return key.algorithm == parts.algorithm && (parts.key_id.empty() || key.id == parts.key_id);
}

bool KeySet::has_key_for(const TokenParts& parts) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const auto& key) { return fits(*key, parts); });
}

Result<std::string> KeySet::verify(std::string_view token, const TokenParts& parts) const {
  const auto signature = from_base64url(parts.signature);
  if (!signature) return bad_token("it is no signed JWT");
  const bool good = std::any_of(keys_.begin(), keys_.end(), [&](const auto& key) {
    if (!fits(*key, parts)) return false;
    if (key->signature_bytes != 0 && key->signature_bytes != signature->size()) return false;
    return key->ed25519 != nullptr ? verify_ed25519(key->ed25519.get(), parts, *signature)
                                   : verify_jose(key->jose.get(), token);
  });
  if (!good) return bad_token("none of the issuer's keys signed it");
  return *from_base64url(parts.payload);
}

}  // namespace reel::auth

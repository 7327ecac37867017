#include <sys/stat.h>

#include "http/tls_internal.h"
#include "obs/log.h"

namespace reel::http {
namespace {

namespace ssl = boost::asio::ssl;

//! Size, inode and time of a file; changes whenever the file is replaced or rewritten.
std::string fingerprint(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return path + " missing";
  return fmt::format("{} {} {}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

std::string fingerprint(const TlsOptions& options) {
  return fingerprint(options.certificate_file) + "; " + fingerprint(options.key_file);
}

//! ALPN: this edge speaks HTTP/1.1 only.
// NOLINTNEXTLINE(readability-function-size): OpenSSL says what a callback is given
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof(kHttp11), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<std::shared_ptr<ssl::context>> make_context(const TlsOptions& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, select_protocol, nullptr);
  boost::system::error_code error;
  context->use_certificate_chain_file(options.certificate_file, error);
  if (error) {
    return io("cannot use the certificate {}: {}", options.certificate_file, error.message());
  }
  context->use_private_key_file(options.key_file, ssl::context::pem, error);
  if (error) return io("cannot use the key {}: {}", options.key_file, error.message());
  if (SSL_CTX_check_private_key(native) != 1) {
    return invalid("the key {} does not belong to the certificate {}", options.key_file,
                   options.certificate_file);
  }
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsSource>> TlsSource::make(TlsOptions options) {
  std::unique_ptr<TlsSource> source(new TlsSource(std::move(options)));
  REEL_TRY(source->reload());
  return source;
}

std::shared_ptr<ssl::context> TlsSource::context() const {
  const MutexLock lock(mutex_);
  return context_;
}

Status TlsSource::reload() {
  std::string now = fingerprint(options_);
  auto context = make_context(options_);
  const MutexLock lock(mutex_);
  seen_ = std::move(now);
  if (!context) return Failure(std::move(context).error());
  context_ = *std::move(context);
  return {};
}

void TlsSource::reload_if_changed() {
  const std::string now = fingerprint(options_);
  {
    const MutexLock lock(mutex_);
    if (now == seen_) return;
  }
  const Status reloaded = reload();
  if (reloaded) {
    obs::log(obs::Level::info, "certificate reloaded", {{"file", options_.certificate_file}});
  } else {
    obs::log_error("certificate not reloaded; the old one stays", reloaded.error());
  }
}

}  // namespace reel::http

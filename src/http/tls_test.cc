#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <thread>

#include "base/test_soon.h"
#include "http/test_server_internal.h"

namespace reel::http {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::IsEmpty;
using testing::StartsWith;

template <class T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX, SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freer<SSL, SSL_free>>;

//! Writes a fresh key and a certificate for `name`, signed by itself.
void write_certificate(const std::string& certificate_file, const std::string& key_file,
                       const std::string& name) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  FILE* file = std::fopen(certificate_file.c_str(), "w");
  PEM_write_X509(file, certificate.get());
  std::fclose(file);
  file = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

//! A TLS client on a blocking socket.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int version_max = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method())), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
    connection_.reset(SSL_new(context_.get()));
    SSL_set_fd(connection_.get(), socket_);
    connected_ = SSL_connect(connection_.get()) == 1;
  }
  ~TlsClient() {
    if (connected_) SSL_shutdown(connection_.get());
    connection_.reset();
    ::close(socket_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }

  std::string peer_name() const {
    const Certificate certificate(SSL_get1_peer_certificate(connection_.get()));
    char name[100] = "";
    if (!certificate) return name;
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof(name));
    return name;
  }

  void send(std::string_view bytes) {
    SSL_write(connection_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }

  //! Reads until what was received ends with `end`, or the connection does.
  std::string until(std::string_view end) {
    std::string all;
    char buffer[20'000];
    while (!std::string_view(all).ends_with(end)) {
      const int got = SSL_read(connection_.get(), buffer, sizeof(buffer));
      if (got <= 0) break;
      all.append(buffer, static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  Context context_;
  int socket_;
  Connection connection_;
  bool connected_ = false;
};

constexpr std::string_view kNoop = "GET /noop HTTP/1.1\r\nHost: x\r\n\r\n";

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    write_certificate(certificate_, key_, "first");
    options.port = 0;
    options.tls.emplace();
    options.tls->certificate_file = certificate_;
    options.tls->key_file = key_;
  }
  ~TlsTest() override {
    std::remove(certificate_.c_str());
    std::remove(key_.c_str());
  }

  void start() {
    auto made = Server::make(options, app, metrics);
    ASSERT_TRUE(made) << made.error().message();
    server = *std::move(made);
    const Status started = server->start();
    ASSERT_TRUE(started) << started.error().message();
  }

  const std::string certificate_ = testing::TempDir() + "/http_tls_test.crt";
  const std::string key_ = testing::TempDir() + "/http_tls_test.key";
  obs::Registry metrics;
  TestApp app;
  ServerOptions options;
  std::unique_ptr<Server> server;
};

TEST_F(TlsTest, ServesRequests) {
  app.large_body = std::string(3'000'000, '1') + "end";
  start();
  TlsClient client(server->port());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.peer_name(), "first");
  client.send(kNoop);
  EXPECT_THAT(client.until("}"), EndsWith("{\"ok\":true}"));
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_GT(client.until("end").size(), app.large_body.size());
  const std::string body(500'000, 'a');
  client.send("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  client.send(body);
  EXPECT_THAT(client.until("}"), EndsWith("{\"bytes\":500000}"));
  client.send(std::string(kNoop) + std::string(kNoop));
  EXPECT_THAT(client.until("}") + client.until("}"), EndsWith("{\"ok\":true}"));
}

TEST_F(TlsTest, AHandlerIsAskedToStopWhenItsClientLeaves) {
  start();
  {
    TlsClient client(server->port());
    client.send("GET /block?stoppable HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(soon([&] { return app.handled == 1; }));
  }
  EXPECT_TRUE(soon([&] { return app.stopped == 1; }));
}

TEST_F(TlsTest, RefusesOldVersions) {
  start();
  EXPECT_FALSE(TlsClient(server->port(), TLS1_1_VERSION).connected());
  EXPECT_TRUE(TlsClient(server->port(), TLS1_2_VERSION).connected());
}

TEST_F(TlsTest, AClientWithoutTlsIsClosed) {
  start();
  RawClient client(server->port());
  client.send(kNoop);
  client.rest();
  TlsClient good(server->port());
  EXPECT_TRUE(good.connected());
}

TEST_F(TlsTest, SlowHandshakesAreCut) {
  options.limits.tls_handshake_timeout_ms = 200;
  start();
  RawClient client(server->port());
  EXPECT_THAT(client.rest(), IsEmpty());
}

TEST_F(TlsTest, NewConnectionsUseAReloadedCertificate) {
  start();
  TlsClient old(server->port());
  write_certificate(certificate_, key_, "second");
  const Status reloaded = server->reload();
  ASSERT_TRUE(reloaded) << reloaded.error().message();
  EXPECT_EQ(TlsClient(server->port()).peer_name(), "second");
  old.send(kNoop);
  EXPECT_THAT(old.until("}"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(TlsTest, ChangedFilesAreNoticed) {
  options.tls->reload_check_ms = 20;
  start();
  write_certificate(certificate_, key_, "second");
  EXPECT_TRUE(soon([&] { return TlsClient(server->port()).peer_name() == "second"; }));
}

TEST_F(TlsTest, ABadCertificateChangesNothing) {
  start();
  std::ofstream(certificate_) << "no certificate";
  EXPECT_FALSE(server->reload());
  EXPECT_EQ(TlsClient(server->port()).peer_name(), "first");
}

TEST_F(TlsTest, MakeRefusesWhatCannotBeUsed) {
  const std::string other = certificate_ + ".other";
  write_certificate(other, other + ".key", "other");
  options.tls->key_file = other + ".key";
  EXPECT_FALSE(Server::make(options, app, metrics)) << "a key of another certificate";
  options.tls->key_file = "/nonexistent";
  EXPECT_EQ(Server::make(options, app, metrics).error().code(), Code::io);
  std::remove(other.c_str());
  std::remove((other + ".key").c_str());
}

TEST_F(TlsTest, DrainEndsIdleConnections) {
  start();
  TlsClient client(server->port());
  client.send(kNoop);
  client.until("}");
  std::this_thread::sleep_for(milliseconds(300));
  const auto begin = std::chrono::steady_clock::now();
  server->drain(milliseconds(5'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1'000));
  EXPECT_THAT(client.until("never"), IsEmpty());
}

}  // namespace
}  // namespace reel::http

// SPDX-License-Identifier: Apache-2.0
#include "server/http/http_server.h"

#include <sys/socket.h>

#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "httplib.h"
#include "prometheus/text_serializer.h"

#include "base/status_macros.h"
#include "base/thread.h"
#include "server/address.h"
#include "server/telemetry/state_metrics.h"

namespace sextant {
namespace {

constexpr char kPlainText[] = "text/plain; charset=utf-8";
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";

void SetLimits(httplib::Server* server) {
  constexpr size_t kThreads = 4;
  constexpr time_t kSeconds = 2;
  server->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // No request has a body, and a slow or idle client must not hold a thread.
  server->set_payload_max_length(1024);
  server->set_read_timeout(kSeconds);
  server->set_write_timeout(kSeconds);
  server->set_keep_alive_timeout(1);
  // httplib would set SO_REUSEPORT, and a second server could take the same
  // port unnoticed.
  server->set_socket_options([](socket_t socket) {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
}

void Answer(httplib::Response* response, int status, const std::string& text) {
  response->status = status;
  response->set_content(text + "\n", kPlainText);
}

// The state of the server in words, and of its store.
std::string Describe(const ServingState& state) {
  std::string text = state.Describe();
  const Database* const database = state.loaded_database();
  if (database != nullptr && !database->write_status().ok()) {
    absl::StrAppend(
        &text, "; writes are refused: ", database->write_status().message());
  }
  return text;
}

}  // namespace

struct HttpServer::Rep {
  Rep(const Config::Http& config, const ServingState* serving_state,
      RequestMetrics* request_metrics)
      : state(serving_state),
        metrics(request_metrics),
        state_metrics(serving_state, config.collection_labels_max) {}

  std::string Metrics() const {
    std::vector<prometheus::MetricFamily> families = state_metrics.Collect();
    std::vector<prometheus::MetricFamily> counted =
        metrics->registry().Collect();
    families.insert(families.end(), std::make_move_iterator(counted.begin()),
                    std::make_move_iterator(counted.end()));
    return prometheus::TextSerializer().Serializer::Serialize(families);
  }

  void Route() {
    server.Get("/metrics", [this](const httplib::Request& /*request*/,
                                  httplib::Response& response) {
      response.set_content(Metrics(), kPrometheusText);
    });
    server.Get("/livez", [](const httplib::Request& /*request*/,
                            httplib::Response& response) {
      Answer(&response, 200, "ok");
    });
    server.Get("/healthz", [this](const httplib::Request& /*request*/,
                                  httplib::Response& response) {
      Answer(&response, 200, Describe(*state));
    });
    server.Get("/readyz", [this](const httplib::Request& /*request*/,
                                 httplib::Response& response) {
      const bool ready = state->phase() == ServingState::Phase::kServing;
      Answer(&response, ready ? 200 : 503, Describe(*state));
    });
  }

  const ServingState* const state;
  RequestMetrics* const metrics;
  const StateMetrics state_metrics;
  std::string listen_address;
  httplib::Server server;
  std::unique_ptr<Thread> thread;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const Config::Http& config, const ServingState* state,
    RequestMetrics* metrics) {
  ASSIGN_OR_RETURN_WITH(Address address, ParseAddress(config.listen),
                        "http.listen");
  const auto cannot_listen = [&](absl::string_view reason) {
    return absl::UnavailableError(absl::StrCat("http.listen: cannot listen on ",
                                               config.listen, ": ", reason));
  };
  // httplib says only "failed"; this says why.
  if (const absl::Status free = CheckListenable(address); !free.ok()) {
    return cannot_listen(free.message());
  }
  auto rep = std::make_unique<Rep>(config, state, metrics);
  SetLimits(&rep->server);
  rep->Route();
  if (address.port == 0) {
    const int port = rep->server.bind_to_any_port(address.host);
    if (port < 0) {
      return cannot_listen("no free port");
    }
    address.port = static_cast<uint16_t>(port);
  } else if (!rep->server.bind_to_port(address.host, address.port)) {
    return cannot_listen("another process may have taken it just now");
  }
  rep->listen_address = address.ToString();
  httplib::Server* const server = &rep->server;
  rep->thread = std::make_unique<Thread>(
      "http", [server] { server->listen_after_bind(); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(rep)));
}

HttpServer::HttpServer(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

HttpServer::~HttpServer() {
  // stop() before the thread is in its loop would be lost.
  while (!rep_->server.is_running()) {
    std::this_thread::yield();
  }
  rep_->server.stop();
  rep_->thread.reset();
}

const std::string& HttpServer::listen_address() const {
  return rep_->listen_address;
}

}  // namespace sextant

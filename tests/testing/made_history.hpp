// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Histories of clients that really ran: each operation takes effect at a random moment between its
/// call and its return, so the history is linearizable.

#include <understudy/testing/history_models.hpp>
#include <understudy/testing/operation_history.hpp>
#include <understudy/testing/random.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace made_history {

using namespace understudy::testing;

/// Who asks, how often, and what of it is never answered.
struct crowd {
  std::uint64_t clients = 3;
  std::size_t operations = 6;
  double lost = 0;   ///< of the operations: the outcome is unknown
  double failed = 0; ///< of the operations: they certainly had no effect
};

/// What a client asks next, and of which object.
template <class Model> struct request {
  typename Model::call call = {};
  std::string key = {};
};

/// Plays a run. `draw` gives the next request, and `serve` carries one out and gives the reply.
template <class Model, class Draw, class Serve>
history_of<Model> play(random_stream& random, const crowd& how, Draw draw, Serve serve) {
  struct client {
    std::uint64_t process = 0;
    std::optional<request<Model>> asked = std::nullopt;
    std::size_t ticket = 0;
    std::optional<typename Model::reply> reply = std::nullopt;
  };
  operation_recorder<Model> recorder;
  std::vector<client> clients(how.clients);
  for (std::uint64_t i = 0; i < how.clients; ++i)
    clients[i].process = i;
  auto next_process = how.clients;
  std::vector<request<Model>> late; // they may take effect when nobody waits for them any more
  std::size_t begun = 0;
  for (auto open = std::size_t{0}; begun < how.operations || open > 0;) {
    if (!late.empty() && random.chance(0.05)) {
      const auto which = static_cast<std::ptrdiff_t>(random.below(late.size()));
      serve(late[static_cast<std::size_t>(which)]);
      late.erase(late.begin() + which);
    }
    auto& one = random.pick(clients);
    if (!one.asked && begun < how.operations) {
      one.asked = draw();
      one.ticket = recorder.invoke(one.process, one.asked->call, {}, one.asked->key);
      ++begun;
      ++open;
    } else if (one.asked && !one.reply && random.chance(how.failed)) {
      recorder.fail(one.ticket);
      one.asked.reset();
      --open;
    } else if (one.asked && !one.reply && random.chance(how.lost)) {
      if (random.chance(0.5))
        serve(*one.asked);
      else if (random.chance(0.5))
        late.push_back(*one.asked);
      one = client{next_process++};
      --open;
    } else if (one.asked && !one.reply) {
      one.reply = serve(*one.asked);
    } else if (one.asked) {
      recorder.complete(one.ticket, *one.reply);
      one = client{one.process};
      --open;
    }
  }
  return recorder.history();
}

/// One register, with values from a few or from many.
struct registers {
  std::uint64_t values = 5;
  bool exchanges = true;
  std::uint64_t keys = 1;

  history_of<cas_register> operator()(random_stream& random, const crowd& how) const {
    std::map<std::string, register_value> held;
    const auto value = [&] { return register_value{std::to_string(random.below(values))}; };
    const auto draw = [&]() -> request<cas_register> {
      const auto key = keys == 1 ? std::string{} : std::to_string(random.below(keys));
      const auto kind = random.below(exchanges ? 3 : 2);
      if (kind == 0)
        return {cas_register::read(), key};
      if (kind == 1)
        return {cas_register::write(value()), key};
      // Of many values one would hardly ever be the right one.
      const auto from = random.chance(0.7) ? held[key] : value();
      return {cas_register::cas(from, value()), key};
    };
    const auto serve = [&](const request<cas_register>& r) -> register_reply {
      auto& now = held[r.key];
      const auto seen = now;
      if (r.call.what == register_call::kind::write)
        now = r.call.to;
      if (r.call.what == register_call::kind::cas && now == r.call.from)
        now = r.call.to;
      return {seen, r.call.what != register_call::kind::cas || seen == r.call.from};
    };
    return play<cas_register>(random, how, draw, serve);
  }
};

/// Texts, each piece of which is put in once.
struct texts {
  std::uint64_t keys = 1;
  double puts = 0.1;
  std::uint64_t pieces = 0; ///< of how many the pieces are; 0: each is another

  history_of<key_value> operator()(random_stream& random, const crowd& how) const {
    std::map<std::string, std::string> held;
    std::uint64_t next = 0;
    const auto piece = [&] {
      const auto number = pieces == 0 ? next++ : random.below(pieces);
      return pieces == 0 ? "x " + std::to_string(number) + " y"
                         : std::string(1 + number / 2, number % 2 == 0 ? 'a' : 'b');
    };
    const auto draw = [&]() -> request<key_value> {
      const auto key = std::to_string(random.below(keys));
      if (random.chance(0.5))
        return {key_value::get(), key};
      if (random.chance(puts))
        return {key_value::put(piece()), key};
      return {key_value::append(piece()), key};
    };
    const auto serve = [&](const request<key_value>& r) -> text_reply {
      auto& now = held[r.key];
      if (r.call.what == text_call::kind::put)
        now = r.call.text;
      if (r.call.what == text_call::kind::append)
        now += r.call.text;
      return {now};
    };
    return play<key_value>(random, how, draw, serve);
  }
};

} // namespace made_history

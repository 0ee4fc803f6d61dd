// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the HTTP API needs of a node. Between the two so that either is compiled and tested without
/// the other: the API without actors, the node without HTTP.

#include <understudy/actors/calls.hpp>
#include <understudy/actors/status.hpp>
#include <understudy/core/entry.hpp>

#include "key_value.hpp"

#include <optional>
#include <string>
#include <variant>

namespace node_program {

/// Any command of the table.
using table_write = std::variant<key_value::put, key_value::erase, key_value::compare_and_set,
                                 key_value::add, key_value::limit, key_value::clear>;

/// Names a write, so that it is applied once however often and wherever it is sent.
struct write_name {
  understudy::session_id session = {};
  understudy::request_number number = {};
  /// The caller has had the answers of all below this.
  understudy::request_number answered_below = {};
};

template <class T> using answer_of = understudy::expected<understudy::answered<T>>;

/// A node, as the API sees it. Every call blocks until there is an answer, at the limit at the
/// latest; all may be made from any thread.
class service {
public:
  service() = default;
  service(const service&) = delete;
  service& operator=(const service&) = delete;
  virtual ~service() = default;

  /// No name: once, if this very call is the only one.
  [[nodiscard]] virtual answer_of<key_value::written>
  submit(const table_write& what, const std::optional<write_name>& name, understudy::interval limit)
      = 0;

  [[nodiscard]] virtual answer_of<key_value::lookup>
  get(const key_value::get& what, const understudy::read_options& how, understudy::interval limit)
      = 0;
  [[nodiscard]] virtual answer_of<key_value::totals> size(const understudy::read_options& how,
                                                          understudy::interval limit)
      = 0;

  [[nodiscard]] virtual answer_of<understudy::session_id> open_session(understudy::interval limit)
      = 0;
  [[nodiscard]] virtual understudy::expected<void> close_session(understudy::session_id which,
                                                                 understudy::interval limit)
      = 0;

  [[nodiscard]] virtual understudy::node_status status() const = 0;
};

} // namespace node_program

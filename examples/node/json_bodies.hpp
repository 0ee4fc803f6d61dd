// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Bodies of requests, read strictly: what is not understood is refused by name, never ignored.

#include <understudy/core/errors.hpp>

#include <nlohmann/json.hpp>

#include "key_value.hpp"
#include "nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace node_program {

/// `line 2, column 7`: the place of the byte at `offset`, counted from 1.
[[nodiscard]] inline std::string place_in(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::ranges::count(before, '\n');
  const auto begin = before.rfind('\n');
  const auto column = begin == std::string_view::npos ? before.size() : before.size() - begin - 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column + 1);
}

namespace detail {

/// Why the text is no JSON, without what nlohmann says of itself and of the place. It may quote the
/// text, so it is cut.
[[nodiscard]] inline std::string reason_of(const nlohmann::json::exception& e) {
  std::string_view said = e.what();
  for (const std::string_view until : {"] ", "column ", ": "})
    if (const auto at = said.find(until); at != std::string_view::npos)
      said.remove_prefix(at + until.size());
  constexpr std::size_t length_max = 200;
  return std::string{said.substr(0, length_max)};
}

} // namespace detail

/// The members of a JSON object, each asked for once.
class json_fields {
public:
  /// Fails with `undecodable`, and line and column, if `text` is no JSON, and no object.
  [[nodiscard]] static understudy::expected<json_fields> read(const std::string& text) {
    json_fields fields;
    try {
      fields.object_ = nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& e) {
      return undecodable(place_in(text, e.byte == 0 ? 0 : e.byte - 1) + ": "
                         + detail::reason_of(e));
    } catch (const nlohmann::json::exception& e) {
      return undecodable(detail::reason_of(e)); // a number too large for any type
    }
    if (!fields.object_.is_object())
      return undecodable(std::string{"a JSON object is wanted, and this is of type "}
                         + fields.object_.type_name());
    return fields;
  }

  /// Complains about members that are not among `known`.
  [[nodiscard]] understudy::expected<void> only(const std::vector<std::string>& known) const {
    for (const auto& item : object_.items())
      if (std::ranges::find(known, item.key()) == known.end())
        return undecodable("there is no use for the member '" + item.key().substr(0, 80) + "'"
                           + hint_at(item.key(), known));
    return {};
  }

  [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }

  [[nodiscard]] understudy::expected<std::string> text(std::string_view name) const {
    const auto found = object_.find(name);
    if (found == object_.end())
      return missing(name);
    if (!found->is_string())
      return wrong(name, "a string", *found);
    return found->get_ref<const std::string&>();
  }

  /// A string, or null for none. It has to be there either way.
  [[nodiscard]] understudy::expected<std::optional<std::string>>
  text_or_null(std::string_view name) const {
    const auto found = object_.find(name);
    if (found == object_.end())
      return missing(name);
    if (found->is_null())
      return std::optional<std::string>{};
    if (!found->is_string())
      return wrong(name, "a string or null", *found);
    return std::optional{found->get_ref<const std::string&>()};
  }

  template <class Number>
  [[nodiscard]] understudy::expected<Number> number(std::string_view name) const {
    const auto found = object_.find(name);
    if (found == object_.end())
      return missing(name);
    if (!found->is_number_integer())
      return wrong(name, "an integer", *found);
    const bool fits = found->is_number_unsigned()
                          ? std::in_range<Number>(found->get<std::uint64_t>())
                          : std::in_range<Number>(found->get<std::int64_t>());
    if (!fits)
      return undecodable("'" + std::string{name} + "' must be from "
                         + std::to_string(std::numeric_limits<Number>::min()) + " to "
                         + std::to_string(std::numeric_limits<Number>::max()) + ", and is "
                         + found->dump());
    return found->get<Number>();
  }

private:
  [[nodiscard]] static tl::unexpected<understudy::failure> undecodable(std::string why) {
    return understudy::fail(understudy::errc::undecodable, std::move(why));
  }
  [[nodiscard]] static tl::unexpected<understudy::failure> missing(std::string_view name) {
    return undecodable("'" + std::string{name} + "' is missing");
  }
  [[nodiscard]] static tl::unexpected<understudy::failure>
  wrong(std::string_view name, std::string_view wanted, const nlohmann::json& value) {
    return undecodable("'" + std::string{name} + "' must be " + std::string{wanted}
                       + ", and is of type " + value.type_name());
  }

  nlohmann::json object_;
};

/// `{"key": "a", "expected": "1", "value": "2"}`; expected null: the key must not exist.
[[nodiscard]] inline understudy::expected<key_value::compare_and_set>
read_compare_and_set(const std::string& body) {
  key_value::compare_and_set result;
  return json_fields::read(body).and_then(
      [&](const json_fields& fields) -> understudy::expected<key_value::compare_and_set> {
        const auto good = fields.only({"key", "expected", "value"})
                              .and_then([&] { return fields.text("key"); })
                              .and_then([&](std::string key) {
                                result.key = std::move(key);
                                return fields.text_or_null("expected");
                              })
                              .and_then([&](std::optional<std::string> expected) {
                                result.expected = std::move(expected);
                                return fields.text("value");
                              })
                              .map([&](std::string value) { result.value = std::move(value); });
        if (!good)
          return tl::unexpected{good.error()};
        return std::move(result);
      });
}

/// `{"key": "a", "by": 3}`.
[[nodiscard]] inline understudy::expected<key_value::add> read_add(const std::string& body) {
  return json_fields::read(body).and_then([](const json_fields& fields) {
    return fields.only({"key", "by"})
        .and_then([&] { return fields.text("key"); })
        .and_then([&](std::string key) {
          return fields.number<std::int64_t>("by").map([&](std::int64_t by) {
            return key_value::add{std::move(key), by};
          });
        });
  });
}

/// `{"keys_max": 1000, "bytes_max": 1000000}`.
[[nodiscard]] inline understudy::expected<key_value::limit> read_limit(const std::string& body) {
  return json_fields::read(body).and_then([](const json_fields& fields) {
    return fields.only({"keys_max", "bytes_max"})
        .and_then([&] { return fields.number<std::uint64_t>("keys_max"); })
        .and_then([&](std::uint64_t keys) {
          return fields.number<std::uint64_t>("bytes_max").map([&](std::uint64_t bytes) {
            return key_value::limit{keys, bytes};
          });
        });
  });
}

/// `{"prefix": "a/"}`.
[[nodiscard]] inline understudy::expected<key_value::clear> read_clear(const std::string& body) {
  return json_fields::read(body).and_then([](const json_fields& fields) {
    return fields.only({"prefix"})
        .and_then([&] { return fields.text("prefix"); })
        .map([](std::string prefix) { return key_value::clear{std::move(prefix)}; });
  });
}

/// JSON as text, with the members in the order in which they were put in. Text that is no UTF-8 (a
/// name from a command line, say) does not stop it.
[[nodiscard]] inline std::string dump(const nlohmann::ordered_json& what) {
  return what.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

} // namespace node_program

// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Values to bytes, and bytes to values or to a reason why not.
///
/// This is how commands, replies, snapshots and messages are written. Whatever the bytes are,
/// decoding ends with a value or with `errc::undecodable`; it reads nothing beyond them, and uses
/// memory in proportion to them (SEC6).

#include <understudy/core/errors.hpp>
#include <understudy/wire/archive.hpp>
#include <understudy/wire/containers.hpp>

#include <cereal/types/array.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace understudy::wire {

/// A type that can be written and read back: numbers, enums, strings, the standard containers and
/// vocabulary types, structs without members, and every type with a `serialize` (or `save` and
/// `load`) as cereal has it.
template <class T>
concept codable = std::is_empty_v<T>
                  || (cereal::traits::is_output_serializable<T, output_archive>::value
                      && cereal::traits::is_input_serializable<T, input_archive>::value);

/// An `expected`: whether there is a value, and then it or the failure.
template <class T> void save(output_archive& archive, const expected<T>& result) {
  save(archive, result.has_value());
  if (result)
    archive(*result);
  else
    archive(result.error());
}
template <class T> void load(input_archive& archive, expected<T>& result) {
  bool has_value = false;
  load(archive, has_value);
  if (has_value) {
    result.emplace();
    archive(*result);
  } else {
    failure why;
    archive(why);
    result = tl::unexpected<failure>{std::move(why)};
  }
}

/// The bytes of `values`, one after the other. Throws only what the values' own `serialize` throws,
/// and `malformed` for values nested deeper than `depth_max`, which could not be read back.
template <codable... Ts> [[nodiscard]] bytes encode(const Ts&... values) {
  output_archive archive;
  archive(values...);
  return archive.take();
}

/// Reads `values`, one after the other, from all of `data`; `what` names them in the error. After a
/// failure the values are anything.
template <codable... Ts>
[[nodiscard]] expected<void> decode_into(std::span<const std::byte> data, std::string_view what,
                                         Ts&... values) {
  std::string why;
  try {
    input_archive archive{data};
    archive(values...);
    if (archive.left() == 0)
      return {};
    why = "goes on for " + std::to_string(archive.left()) + " bytes";
  } catch (const std::exception& e) {
    why = e.what();
  } catch (...) {
    why = "can not be read";
  }
  return fail(errc::undecodable, std::string{what} + ": " + why);
}

/// Reads a `T` from all of `data`.
template <codable T>
  requires std::default_initializable<T>
[[nodiscard]] expected<T> decode(std::span<const std::byte> data, std::string_view what = "value") {
  expected<T> result{T{}};
  if (auto done = decode_into(data, what, *result); !done)
    return tl::unexpected<failure>{std::move(done.error())};
  return result;
}

} // namespace understudy::wire

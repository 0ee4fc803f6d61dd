// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The standard containers, read so that memory follows the bytes that are there.
///
/// cereal resizes a vector to the announced size first, so that a few bytes could make a thousand
/// times as much memory. Here a container grows as its elements arrive. Each element takes a byte
/// at least (one that encodes to nothing is given a zero), so a size can be checked against the
/// bytes left, and a vector of a million empty structs reads back as it was written.
///
/// A map or set in which a key comes twice was written by no encoder, and is refused.

#include <understudy/wire/archive.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace understudy::wire {
namespace detail {

/// Writes one element of a container, whose parts are `parts`.
template <class... Parts> void save_element(output_archive& archive, const Parts&... parts) {
  const auto before = archive.size();
  archive(parts...);
  if (archive.size() == before)
    save(archive, std::uint8_t{0});
}

template <class... Parts> void load_element(input_archive& archive, Parts&... parts) {
  const auto before = archive.left();
  archive(parts...);
  if (archive.left() == before && archive.take(1).front() != std::byte{0})
    throw malformed{"holds an empty element that is not empty"};
}

template <class Items> void save_items(output_archive& archive, const Items& items) {
  archive.write_size(items.size());
  for (const auto& item : items)
    save_element(archive, item);
}

/// Room for the items announced, as far as the bytes left make them likely.
template <class Items>
void reserve_likely(const input_archive& archive, Items& items, std::size_t count) {
  if constexpr (requires { items.reserve(count); })
    items.reserve(std::min(count, archive.left() / sizeof(typename Items::value_type) + 1));
}

template <class Items> void load_sequence(input_archive& archive, Items& items) {
  const auto count = archive.read_size();
  items.clear();
  reserve_likely(archive, items, count);
  for (std::size_t i = 0; i < count; ++i)
    load_element(archive, items.emplace_back());
}

inline void check_unique(std::size_t stored, std::size_t announced) {
  if (stored != announced)
    throw malformed{"holds a key twice"};
}

template <class Items> void load_set(input_archive& archive, Items& items) {
  const auto count = archive.read_size();
  items.clear();
  reserve_likely(archive, items, count);
  for (std::size_t i = 0; i < count; ++i) {
    typename Items::key_type key{};
    load_element(archive, key);
    items.emplace_hint(items.end(), std::move(key));
  }
  check_unique(items.size(), count);
}

template <class Items> void save_map(output_archive& archive, const Items& items) {
  archive.write_size(items.size());
  for (const auto& [key, value] : items)
    save_element(archive, key, value);
}

template <class Items> void load_map(input_archive& archive, Items& items) {
  const auto count = archive.read_size();
  items.clear();
  reserve_likely(archive, items, count);
  for (std::size_t i = 0; i < count; ++i) {
    typename Items::key_type key{};
    typename Items::mapped_type value{};
    load_element(archive, key, value);
    items.emplace_hint(items.end(), std::move(key), std::move(value));
  }
  check_unique(items.size(), count);
}

} // namespace detail

// -- one run of bytes ----------------------------------------------------------------------------

inline void save(output_archive& archive, const bytes& data) {
  archive.write_size(data.size());
  archive.write(data.view().data(), data.size());
}
inline void load(input_archive& archive, bytes& data) {
  data = bytes{archive.take(archive.read_size())};
}

// -- sequences -----------------------------------------------------------------------------------

template <class T, class A> void save(output_archive& archive, const std::vector<T, A>& items) {
  if constexpr (number<T> && !std::same_as<T, bool>) {
    archive.write_size(items.size());
    archive.write(items.data(), items.size() * sizeof(T), sizeof(T));
  } else {
    detail::save_items(archive, items);
  }
}
template <class T, class A> void load(input_archive& archive, std::vector<T, A>& items) {
  if constexpr (number<T> && !std::same_as<T, bool>) {
    items.resize(archive.read_size(sizeof(T)));
    archive.read(items.data(), items.size() * sizeof(T), sizeof(T));
  } else {
    detail::load_sequence(archive, items);
  }
}

template <class A> void save(output_archive& archive, const std::vector<bool, A>& items) {
  archive.write_size(items.size());
  for (const bool item : items)
    save(archive, item);
}
template <class A> void load(input_archive& archive, std::vector<bool, A>& items) {
  items.resize(archive.read_size());
  for (auto&& item : items) {
    bool value = false;
    load(archive, value);
    item = value;
  }
}

template <class T, class A> void save(output_archive& archive, const std::deque<T, A>& items) {
  detail::save_items(archive, items);
}
template <class T, class A> void load(input_archive& archive, std::deque<T, A>& items) {
  detail::load_sequence(archive, items);
}

template <class T, class A> void save(output_archive& archive, const std::list<T, A>& items) {
  detail::save_items(archive, items);
}
template <class T, class A> void load(input_archive& archive, std::list<T, A>& items) {
  detail::load_sequence(archive, items);
}

// -- sets ----------------------------------------------------------------------------------------

template <class K, class C, class A>
void save(output_archive& archive, const std::set<K, C, A>& items) {
  detail::save_items(archive, items);
}
template <class K, class C, class A> void load(input_archive& archive, std::set<K, C, A>& items) {
  detail::load_set(archive, items);
}

template <class K, class C, class A>
void save(output_archive& archive, const std::multiset<K, C, A>& items) {
  detail::save_items(archive, items);
}
template <class K, class C, class A>
void load(input_archive& archive, std::multiset<K, C, A>& items) {
  detail::load_set(archive, items);
}

template <class K, class H, class E, class A>
void save(output_archive& archive, const std::unordered_set<K, H, E, A>& items) {
  detail::save_items(archive, items);
}
template <class K, class H, class E, class A>
void load(input_archive& archive, std::unordered_set<K, H, E, A>& items) {
  detail::load_set(archive, items);
}

// -- maps ----------------------------------------------------------------------------------------

template <class K, class V, class C, class A>
void save(output_archive& archive, const std::map<K, V, C, A>& items) {
  detail::save_map(archive, items);
}
template <class K, class V, class C, class A>
void load(input_archive& archive, std::map<K, V, C, A>& items) {
  detail::load_map(archive, items);
}

template <class K, class V, class C, class A>
void save(output_archive& archive, const std::multimap<K, V, C, A>& items) {
  detail::save_map(archive, items);
}
template <class K, class V, class C, class A>
void load(input_archive& archive, std::multimap<K, V, C, A>& items) {
  detail::load_map(archive, items);
}

template <class K, class V, class H, class E, class A>
void save(output_archive& archive, const std::unordered_map<K, V, H, E, A>& items) {
  detail::save_map(archive, items);
}
template <class K, class V, class H, class E, class A>
void load(input_archive& archive, std::unordered_map<K, V, H, E, A>& items) {
  detail::load_map(archive, items);
}

} // namespace understudy::wire

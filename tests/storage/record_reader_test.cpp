// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/record_reader.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace record_reader_test {

using namespace understudy;
using namespace understudy::storage;

namespace {

constexpr std::uint64_t salt = 4711;
constexpr chain_end start{.offset = 128, .chain = salt};

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// The bytes of records with these contents, all of which know of a sync at `synced`.
std::vector<std::byte> records_of(const std::vector<std::string>& contents,
                                  std::uint64_t synced = 0) {
  record_batch batch{salt, start};
  for (const auto& one : contents)
    batch.add(record_kind::entry, synced, raw(one));
  return {batch.view().begin(), batch.view().end()};
}

/// A file that holds something where records begin.
struct with_content {
  explicit with_content(std::span<const std::byte> content) {
    REQUIRE(from->write(start.offset, content));
  }

  /// What can be read, and what is said to stand behind it.
  std::string read() {
    record_reader reader{*from, salt, start, *from->size()};
    std::string text;
    for (;;) {
      const auto next = reader.next();
      REQUIRE(next);
      if (!*next)
        return text + "| " + reader.why();
      text += std::string{(*next)->payload.text()} + ' ';
    }
  }

  std::shared_ptr<testing::faulty_disk> disk = std::make_shared<testing::faulty_disk>();
  testing::faulty_directory in{disk};
  std::unique_ptr<file> from = *in.create("file");
};

} // namespace

TEST_CASE("what was added is read, whatever its length, up to the end or the first zeros") {
  const std::vector<std::string> contents{"a", "12345678", std::string(3'000'000, 'x'), "end"};
  const auto all = records_of(contents);
  with_content file{all};
  const auto text = file.read();
  CHECK(text == "a 12345678 " + contents[2] + " end | ");
  REQUIRE(file.from->allocate(*file.from->size() + 4096));
  CHECK(file.read() == text);
}

TEST_CASE("a record that stood there before another was written in front of it does not follow") {
  const auto before = records_of({"old 1", "old 2"});
  auto now = records_of({"new 1", "new 2"});
  const auto second = now.size() / 2;
  std::copy(before.begin() + static_cast<std::ptrdiff_t>(second), before.end(),
            now.begin() + static_cast<std::ptrdiff_t>(second));
  CHECK(with_content{now}.read() == "new 1 | the record does not follow the one before it");
}

TEST_CASE("a record of another place, or of another file, is none") {
  const auto two = records_of({"first", "again"});
  const auto half = two.size() / 2;
  std::vector<std::byte> twice{two.begin(), two.begin() + static_cast<std::ptrdiff_t>(half)};
  twice.insert(twice.end(), twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(half));
  CHECK(with_content{twice}.read() == "first | this is no record");
  record_batch other{salt + 1, {start.offset, salt + 1}};
  other.add(record_kind::entry, 0, raw("other"));
  CHECK(with_content{other.view()}.read() == "| this is no record");
}

TEST_CASE("every changed byte of a record is noticed") {
  const auto good = records_of({"some content"});
  for (std::size_t i = 0; i < good.size(); ++i) {
    CAPTURE(i);
    auto bad = good;
    bad[i] ^= std::byte{0x10};
    const auto text = with_content{bad}.read();
    CHECK(text.starts_with("| "));
    CHECK(text.size() > 2);
  }
}

TEST_CASE("no room is made for what the file can not hold") {
  auto torn = records_of({std::string(5'000, 'x')});
  torn.resize(torn.size() - 1);
  CHECK(with_content{torn}.read() == "| this is no record");
  torn.resize(20);
  CHECK(with_content{torn}.read() == "| there is no room for a record");
}

TEST_CASE("behind the end there is nothing, a torn write, or proof that it was synced") {
  const auto behind = [](std::vector<std::byte> content, std::uint64_t from = 0) {
    with_content file{content};
    return *look_behind(*file.from, salt, start.offset + from, *file.from->size());
  };
  CHECK(behind(std::vector<std::byte>(5'000'000)) == log_tail::nothing);
  CHECK(behind(std::vector<std::byte>(64, std::byte{0xff})) == log_tail::torn);
  CHECK(behind({}) == log_tail::nothing);
  // A record that knows of no sync since proves nothing; one that does proves it, even far behind.
  auto torn = records_of({"gone", "and this one"}, start.offset);
  std::fill(torn.begin(), torn.begin() + 40, std::byte{0});
  CHECK(behind(torn) == log_tail::torn);
  record_batch later{salt, {start.offset + 2'000'000, 99}};
  later.add(record_kind::entry, start.offset + 1'000, raw("later"));
  std::vector<std::byte> damaged(2'000'000);
  damaged.insert(damaged.end(), later.view().begin(), later.view().end());
  CHECK(behind(damaged) == log_tail::synced);
  CHECK(behind(damaged, 1'000) == log_tail::torn); // from there on it proves nothing
}

} // namespace record_reader_test

// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/snapshot.hpp>

#include <doctest/doctest.h>

namespace snapshot_test {

using namespace understudy;

namespace {

snapshot picture(std::string_view text) {
  snapshot s{.at = {log_index{9}, term_number{2}}, .image = bytes{text}};
  s.digest = digest_of(s.image.view());
  return s;
}

} // namespace

TEST_CASE("a snapshot notices when its image is not what was digested") {
  auto s = picture("state");
  CHECK(s.intact());
  s.image = bytes{"State"};
  CHECK_FALSE(s.intact());
}

TEST_CASE("chunks cover a snapshot without gap or overlap") {
  const auto whole = picture("0123456789");
  std::string together;
  std::uint64_t offset = 0;
  for (bool last = false; !last;) {
    const auto chunk = chunk_of(whole, offset, 4);
    CHECK(chunk.key == whole.key());
    CHECK(chunk.size == 10);
    together += chunk.data.text();
    offset += chunk.data.size();
    last = chunk.last();
  }
  CHECK(together == "0123456789");
}

TEST_CASE("an empty snapshot is one empty chunk, and that is the last") {
  const auto chunk = chunk_of(picture(""), 0, 4);
  CHECK(chunk.data.empty());
  CHECK(chunk.last());
}

} // namespace snapshot_test

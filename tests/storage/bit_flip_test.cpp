// SPDX-License-Identifier: BSL-1.0
// No bit of what was stored can change without being noticed.
#include <understudy/storage/durable_store.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"
#include "support/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bit_flip_test {

using namespace support;

namespace {

constexpr storage::log_layout few_segments{.segment_bytes = 16 * 1024, .seed = 1};

/// What became of the flips.
struct flip_counts {
  std::size_t noticed = 0;   ///< the store does not open, and says why
  std::size_t made_good = 0; ///< of the two ballots the other one was right
  std::size_t of_mark = 0;   ///< in the mark of what is synced, which may be lost
  std::size_t unused = 0;    ///< nothing is stored there
  std::size_t cut = 0;       ///< in what was written last: taken for torn
};

/// How the process came to its end.
enum class ending : std::uint8_t { stopped, killed };

/// A store with a snapshot and a log of `log_bytes` behind it, in segments of which the last one
/// holds a few batches.
struct stored {
  explicit stored(std::uint64_t log_bytes, ending how = ending::stopped) {
    auto store = open_store(disk, few_segments);
    REQUIRE(store);
    random_stream random{3};
    store_write first{.entries = {entry_of(1, 1, made_of({7}, {7}))}, .vote = ballot{{1}, {7}}};
    write(*store, first);
    std::uint64_t written = 0;
    for (std::uint64_t index = 2; written < log_bytes; ++index) {
      store_write more;
      for (auto left = random.between(1, 3); left > 0; --left, ++index)
        more.entries.push_back(entry_of(index, 1, text(random).c_str()));
      --index;
      certain = model.told();
      older_mark = disk->has(storage::mark_name) ? disk->contents(storage::mark_name) : older_mark;
      write(*store, more);
      if (index > 20 && !snapshot_taken) {
        snapshot_taken = true;
        auto made = std::make_shared<snapshot>(snapshot{.at = {{10}, {1}}});
        made->members = {{1}, std::make_shared<configuration>(made_of({7}, {7}))};
        made->image = bytes{text(random) + text(random)};
        made->digest = digest_of(made->image.view());
        write(*store, {.base = made});
      }
      written = 0;
      for (const auto& name : disk->names())
        if (name.starts_with("segment-"))
          written += disk->contents(name).size();
    }
    if (how == ending::stopped)
      REQUIRE(store->close());
    store = tl::unexpected<failure>{failure{}};
    disk->kill();
    whole = fingerprint_of(*model.now().recover());
  }

  void write(durable_store& store, const store_write& what) {
    model.write(what);
    REQUIRE(store.write(what));
    REQUIRE(store.sync());
  }

  static std::string text(random_stream& random) {
    return std::string(static_cast<std::size_t>(random.between(100, 2'000)),
                       static_cast<char>('a' + random.below(26)));
  }

  std::shared_ptr<faulty_disk> disk = std::make_shared<faulty_disk>();
  store_model model;
  bool snapshot_taken = false;
  store_extent certain;              ///< all but the last batch
  std::vector<std::byte> older_mark; ///< of the time before that
  std::uint64_t whole = 0;
};

bool is_damage(errc code) {
  return code == errc::storage_damaged || code == errc::storage_foreign
         || code == errc::cluster_mismatch || code == errc::format_unsupported;
}

/// Flips every bit of every file on `disk` whose name starts so, one at a time. What is found then
/// is all, or, where that is said to be possible, all but a part of the last batch.
flip_counts flip_all(const stored& s, const std::string& prefix, bool may_cut) {
  flip_counts counts;
  for (const auto& name : s.disk->names()) {
    if (!name.starts_with(prefix))
      continue;
    const auto bits = s.disk->contents(name).size() * 8;
    const bool mirrored = name.starts_with("ballot-");
    for (std::uint64_t bit = 0; bit < bits; bit += test_support::sweep_stride()) {
      const auto flipped = s.disk->clone();
      flipped->flip_bit(name, bit);
      auto store = open_store(flipped, few_segments);
      if (!store) {
        REQUIRE_MESSAGE(is_damage(store.error().code), store.error());
        ++counts.noticed;
        continue;
      }
      const auto found = store->recover();
      CAPTURE(name);
      CAPTURE(bit);
      REQUIRE(found->vote == ballot{{1}, {7}});
      if (fingerprint_of(*found) == s.whole) {
        ++(mirrored                     ? counts.made_good
           : name == storage::mark_name ? counts.of_mark
                                        : counts.unused);
        continue;
      }
      REQUIRE(may_cut);
      const auto complaint = s.model.complaint(*found, s.certain, s.model.told());
      REQUIRE_MESSAGE(complaint.empty(), complaint);
      ++counts.cut;
    }
  }
  return counts;
}

} // namespace

TEST_CASE("after a stop or a kill every flipped bit is noticed, or changes nothing (D3, D11)") {
  auto how = ending::stopped;
  SUBCASE("stopped") {}
  SUBCASE("killed") {
    how = ending::killed;
  }
  const stored s{64 * 1024, how};
  const auto counts = flip_all(s, "", false);
  MESSAGE(counts.noticed << " noticed, " << counts.made_good << " made good, " << counts.of_mark
                         << " of the mark, " << counts.unused << " where nothing is");
  CHECK(counts.noticed >= 400'000 / test_support::sweep_stride());
  CHECK(counts.made_good >= 2 * 128 * 8 / test_support::sweep_stride());
  CHECK(counts.of_mark > 0);
}

TEST_CASE("what the mark does not vouch for can be taken for torn, and nothing else (D1)") {
  const stored s{24 * 1024};
  SUBCASE("it is of the time before the last batch") {
    s.disk->put(storage::mark_name, s.older_mark);
  }
  SUBCASE("it is lost") {
    s.disk->erase(storage::mark_name);
  }
  const auto counts = flip_all(s, "segment-", true);
  MESSAGE(counts.noticed << " noticed, " << counts.cut << " cut off, " << counts.unused
                         << " where nothing is");
  CHECK(counts.noticed >= 100'000 / test_support::sweep_stride());
  CHECK(counts.cut > 0);
}

} // namespace bit_flip_test

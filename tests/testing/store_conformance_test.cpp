// SPDX-License-Identifier: BSL-1.0
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/store_in.hpp>
#include <understudy/testing/faulty_directory.hpp>
#include <understudy/testing/store_conformance.hpp>

#include <doctest/doctest.h>

#include "support/scratch.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace store_conformance_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

using disk_ptr = std::shared_ptr<faulty_disk>;

store_opener durable_on(const disk_ptr& disk) {
  return [disk](const store_wish& wish) -> expected<any_store> {
    auto in = std::make_unique<faulty_directory>(disk);
    if (wish.anew)
      if (auto done = storage::set_aside(*in); !done)
        return tl::unexpected<failure>{done.error()};
    return open_any(durable_store::open(std::move(in),
                                        {.node = wish.newcomer.id, .start = wish.newcomer.start},
                                        {.segment_bytes = 4096, .seed = wish.seed}));
  };
}

/// A store that keeps all in memory, and forgets something of it.
class forgetful_store {
public:
  enum class flaw { none, last_entry, vote, identity };

  forgetful_store(std::shared_ptr<memory_store> kept, node_identity self, flaw what)
      : kept_{std::move(kept)}, self_{self}, flaw_{what} {}

  expected<void> write(const store_write& what) {
    auto changed = what;
    if (flaw_ == flaw::vote)
      changed.vote.reset();
    return kept_->write(changed);
  }
  expected<void> sync() { return {}; }
  expected<recovered_state> recover() {
    const auto found = *kept_->recover();
    if (flaw_ == flaw::last_entry && !found.entries.empty())
      static_cast<void>(kept_->write({.keep = found.entries.back().index.previous()}));
    return kept_->recover();
  }
  node_identity identity() { return self_; }
  expected<void> close() { return {}; }
  expected<void> retire() { return {}; }

private:
  std::shared_ptr<memory_store> kept_;
  node_identity self_;
  flaw flaw_;
};

} // namespace

TEST_CASE("the durable store conforms, through stops, kills and power failures") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto disk = std::make_shared<faulty_disk>();
    random_stream random{seed};
    CHECK(check_store(durable_on(disk),
                      {.seed = seed, .lose_power = [&] { disk->crash(any_subset(random)); }})
          == "");
  }
}

TEST_CASE("the durable store conforms on a real file system") {
  const test_support::scratch where;
  CHECK(check_store(store_in(where.path(), 64 * 1024), {.seed = 3}) == "");
}

TEST_CASE("a store that forgets is found out") {
  using flaw = forgetful_store::flaw;
  const auto complaint_about = [](flaw what) {
    const auto kept = std::make_shared<memory_store>();
    return check_store([=, first = std::optional<node_identity>{}](
                           const store_wish& wish) mutable -> expected<any_store> {
      if (!first || what == flaw::identity)
        first = wish.newcomer;
      return any_store{forgetful_store{kept, *first, what}};
    });
  };
  CHECK(complaint_about(flaw::last_entry).find("is none of those since the last sync")
        != std::string::npos);
  CHECK(complaint_about(flaw::vote).find("the vote in term") != std::string::npos);
  CHECK(complaint_about(flaw::identity).find("another node") != std::string::npos);
  // One that keeps all of it is found out at the end: it does not begin anew.
  CHECK(complaint_about(flaw::none).find("does not belong to the newcomer") != std::string::npos);
}

} // namespace store_conformance_test

// A sink of Accumulators' scans behind which only allowed documents come.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../selection/selection.hpp"
#include "accumulators.hpp"

namespace thresher {

template <class Sink>
class AllowedSink {
  public:
    // Borrows both; nullptr allows all.
    AllowedSink(Sink& sink, const Selection* allowed) : sink_(sink), allowed_(allowed) {}

    std::int32_t cutoff() const noexcept { return sink_.cutoff(); }
    // At once, because all of them reach the cutoff that there was before.
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* sums, std::size_t n) {
        if (allowed_ == nullptr) return sink_.add(first_doc, docs, sums, n);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < n; ++i) {
            docs_[kept] = docs[i];
            sums_[kept] = sums[i];
            kept += allowed_->has(first_doc + docs[i]) ? 1 : 0;
        }
        sink_.add(first_doc, docs_, sums_, kept);
    }

  private:
    Sink& sink_;
    const Selection* allowed_;
    std::uint32_t docs_[Accumulators::kStep];
    std::int32_t sums_[Accumulators::kStep];
};

}  // namespace thresher

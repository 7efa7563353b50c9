// A sink of scans behind which only allowed documents come: see window_scan and accumulators for what calls it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "selection.hpp"

namespace thresher {

template <class Sink>
class AllowedSink {
  public:
    // Borrows both; nullptr allows all.
    AllowedSink(Sink& sink, const Selection* allowed) : sink_(sink), allowed_(allowed) {}

    std::int32_t cutoff() const noexcept { return sink_.cutoff(); }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n) {
        if (allowed_ == nullptr) return sink_.add(first_doc, docs, scores, n);
        for (std::size_t begin = 0; begin < n; begin += kStep) {
            const std::size_t end = begin + kStep < n ? begin + kStep : n;
            std::size_t kept = 0;
            for (std::size_t i = begin; i < end; ++i) {
                docs_[kept] = docs[i];
                scores_[kept] = scores[i];
                kept += allowed_->has(first_doc + docs[i]);
            }
            sink_.add(first_doc, docs_, scores_, kept);
        }
    }

  private:
    static constexpr std::size_t kStep = 512;

    Sink& sink_;
    const Selection* allowed_;
    std::uint32_t docs_[kStep];
    std::int32_t scores_[kStep];
};

}  // namespace thresher

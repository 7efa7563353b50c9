// Scratch memory of searches, kept from one to the next: a query allocates nothing in its hot path, and any number of
// threads may search at once, each with a context of its own. A context that an exception interrupted is not used
// again, and no more are kept than the machine can well use at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace thresher {

template <class Context>
class ContextPool {
  public:
    // A context for the length of a scope; it returns to the pool, which must outlive it.
    class Lease {
      public:
        Lease(ContextPool& pool, std::unique_ptr<Context> context) : pool_(&pool), context_(std::move(context)) {}
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            const bool interrupted = std::uncaught_exceptions() > exceptions_;
            if (context_ != nullptr && !interrupted) pool_->give_back(std::move(context_));
        }
        Context& operator*() const noexcept { return *context_; }

      private:
        ContextPool* pool_;
        std::unique_ptr<Context> context_;
        int exceptions_ = std::uncaught_exceptions();
    };

    ContextPool() = default;
    ContextPool(const ContextPool& /*other*/) {}  // contexts are not shared: a copy has none yet
    ContextPool& operator=(const ContextPool&) = delete;

    // An idle context, or a new one constructed from `arguments`.
    template <class... Arguments>
    Lease borrow(const Arguments&... arguments) {
        if (auto idle = take_idle()) return Lease(*this, std::move(idle));
        return Lease(*this, std::make_unique<Context>(arguments...));
    }

    // Idle contexts that are kept, at most: two for each hardware thread, since a thread may lose its core in the
    // middle of a search to one that begins another.
    static std::size_t capacity() noexcept {
        static const std::size_t n = 2 * std::max(1U, std::thread::hardware_concurrency());
        return n;
    }

  private:
    std::unique_ptr<Context> take_idle() {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        auto context = std::move(idle_.back());
        idle_.pop_back();
        return context;
    }
    void give_back(std::unique_ptr<Context>&& context) noexcept {
        const std::lock_guard lock(mutex_);
        if (idle_.size() >= capacity()) return;  // the caller's pointer frees it, once the lock is open again
        try {
            idle_.push_back(std::move(context));
        } catch (const std::bad_alloc&) {  // then it is not kept
        }
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Context>> idle_;
};

}  // namespace thresher

// A file descriptor that is closed at the end of its owner's life.
#pragma once

#include <unistd.h>

#include <utility>

namespace thresher {

class Descriptor {
  public:
    Descriptor() = default;
    // Takes what open() gave: less than 0 is none.
    explicit Descriptor(int value) noexcept : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }

    int get() const noexcept { return value_; }

  private:
    int value_ = -1;
};

}  // namespace thresher

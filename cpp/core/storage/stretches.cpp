#include "stretches.hpp"

#include <limits>

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kMaxUnits = std::numeric_limits<std::uint32_t>::max();

// The smallest unit in which `n_bytes` can be counted: a larger total never needs a smaller one.
unsigned shift_of(std::size_t n_bytes) noexcept {
    unsigned shift = 0;
    while (n_bytes >> shift > kMaxUnits) ++shift;
    return shift;
}

std::size_t units_of(std::size_t n_bytes, unsigned shift) noexcept {
    return (n_bytes + (std::size_t{1} << shift) - 1) >> shift;
}

}  // namespace

Stretches::Stretches(Buffer<std::uint32_t> offsets, Buffer<std::uint8_t> bytes)
    : shift_(shift_of(bytes.size() - kMargin)), offsets_(std::move(offsets)), bytes_(std::move(bytes)) {}

Stretches::Writer::Writer(std::size_t n, const std::function<std::size_t(std::size_t i)>& size)
    : shift_(0), offsets_(n + 1), bytes_(0) {
    const auto total = [&] {
        std::size_t units = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (i % kRowsPerTask == 0) interruption_point(4 * kRowsPerTask);
            units += units_of(size(i), shift_);
        }
        return units;
    };
    while (total() > kMaxUnits) ++shift_;
    for (std::size_t i = 0; i < n; ++i) {
        offsets_.items[i + 1] = offsets_.items[i] + static_cast<std::uint32_t>(units_of(size(i), shift_));
    }
    bytes_ = Filling<std::uint8_t>((static_cast<std::size_t>(offsets_.items[n]) << shift_) + kMargin);
}

Stretches Stretches::build(std::size_t n, unsigned threads, Progress& progress,
                           const std::function<std::size_t(std::size_t i)>& size,
                           const std::function<void(std::size_t i, std::uint8_t* to)>& write) {
    Writer writer(n, size);
    parallel_for_rows(n, kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        for (std::size_t i = begin; i < end; ++i) {
            interruption_point(size(i));
            write(i, writer.at(i));
        }
    });
    return std::move(writer).finish();
}

double Stretches::estimated_nbytes(double n, double bytes) noexcept {
    double unit = 1;
    while (bytes > static_cast<double>(kMaxUnits) * unit) unit *= 2;
    const double padding = (unit - 1) / 2;  // of each, on average
    return static_cast<double>(sizeof(offsets_[0])) * (n + 1) + bytes + n * padding + kMargin;
}

void Stretches::save(SectionList& sections, const std::string& name) const {
    sections.add(name + "/starts", offsets_);
    sections.add(name + "/bytes", bytes_);
}

Stretches Stretches::load(const IndexFile& file, const std::string& name, std::size_t n) {
    auto bytes = file.section<std::uint8_t>(name + "/bytes");
    file.require(bytes.size() >= kMargin, "section " + name + "/bytes has no margin");
    Stretches loaded(file.section<std::uint32_t>(name + "/starts", n + 1), std::move(bytes));
    const std::size_t end = static_cast<std::size_t>(loaded.offsets_[n]) << loaded.shift_;
    file.require(end == loaded.bytes_.size() - kMargin, "section " + name + "/bytes has another size than its starts");
    return loaded;
}

}  // namespace thresher

// Stands in for libFuzzer where there is no clang: feeds every seed to the harness, then `runs` mutations of them,
// the same ones every time. Usage: fuzz_index_file -runs=N SEED_FOLDER...
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

class Mutator {
  public:
    // One to four random edits of `bytes`.
    Bytes mutate(Bytes bytes, const std::vector<Bytes>& seeds) {
        for (std::size_t edits = 1 + below(4); edits != 0 && !bytes.empty(); --edits) {
            const std::size_t at =
                below(2) == 0 ? below(bytes.size()) : below(std::min<std::size_t>(bytes.size(), 640));
            switch (below(7)) {
                case 0:
                    bytes[at] ^= static_cast<std::uint8_t>(1U << below(8));
                    break;
                case 1:
                    bytes[at] = static_cast<std::uint8_t>(below(256));
                    break;
                case 2:
                    overwrite_integer(bytes, at);
                    break;
                case 3:
                    bytes.resize(at);
                    break;
                case 4:
                    bytes.resize(bytes.size() + below(256));
                    break;
                case 5:
                    copy_within(bytes, at);
                    break;
                default:
                    splice(bytes, at, seeds[below(seeds.size())]);
            }
        }
        return bytes;
    }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  private:
    void overwrite_integer(Bytes& bytes, std::size_t at) {
        constexpr std::array<std::uint64_t, 9> values{0,          1,          0x7fff,      0xffff, 0x7fffffff,
                                                      0x80000000, 0xffffffff, 1ULL << 62U, ~0ULL};
        const std::uint64_t value = values[below(values.size())] + below(3) - 1;
        at -= at % 4;
        const std::size_t width = std::min<std::size_t>(below(2) == 0 ? 4 : 8, bytes.size() - at);
        for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    void copy_within(Bytes& bytes, std::size_t at) {
        const std::size_t from = below(bytes.size());
        const std::size_t n = std::min({below(64) + 1, bytes.size() - at, bytes.size() - from});
        const Bytes chunk(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                          bytes.begin() + static_cast<std::ptrdiff_t>(from + n));
        std::copy(chunk.begin(), chunk.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
    static void splice(Bytes& bytes, std::size_t at, const Bytes& other) {
        bytes.resize(at);
        if (at < other.size()) bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(at), other.end());
    }

    std::mt19937_64 random_{1};
};

void read_seeds(const std::filesystem::path& folder, std::vector<Bytes>& seeds) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t runs = 0;
    std::vector<Bytes> seeds;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.starts_with("-runs=")) {
            runs = std::strtoull(argv[i] + 6, nullptr, 10);
        } else if (!argument.starts_with("-")) {
            read_seeds(argument, seeds);
        }
    }
    if (seeds.empty()) {
        std::fprintf(stderr, "usage: fuzz_index_file -runs=N SEED_FOLDER... (no seeds found)\n");
        return 2;
    }
    for (const Bytes& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
    Mutator mutator;
    for (std::size_t run = 0; run < runs; ++run) {
        const Bytes input = mutator.mutate(seeds[mutator.below(seeds.size())], seeds);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("fuzz_index_file: %zu seeds and %zu mutations survived\n", seeds.size(), runs);
    return 0;
}

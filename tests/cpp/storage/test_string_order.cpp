// The order of strings is that of a stable sort.
#include "core/storage/string_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

TEST(StringOrder, IsThatOfAStableSort) {
    test::Random random(1);
    for (const std::size_t n : {0, 1, 2, 10, 3000}) {
        for (const std::int64_t letters : {1, 2, 256}) {
            for (const std::int64_t longest : {0, 7, 8, 9, 16, 17, 40}) {
                std::vector<std::string> strings(n);
                for (std::string& string : strings) {
                    string.resize(static_cast<std::size_t>(test::uniform(random, 0, longest)));
                    for (char& c : string) {
                        c = static_cast<char>(test::uniform(random, 0, 9) > 0 ? 0
                                                                              : test::uniform(random, 0, letters - 1));
                    }
                }
                const std::vector<std::string_view> views(strings.begin(), strings.end());
                std::vector<std::uint32_t> expected(n);
                std::iota(expected.begin(), expected.end(), 0U);
                std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return views[a] < views[b]; });
                ASSERT_EQ(string_order(views), expected) << n << " of " << letters << " letters up to " << longest;
            }
        }
    }
}

}  // namespace
}  // namespace thresher

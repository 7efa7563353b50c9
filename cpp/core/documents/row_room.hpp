// Which terms are worth a row: a form with a place for every document, or for every block of documents, whether it has
// the term or not.
//
// A term has a row where its documents are at least a given fraction of those that the row has room for. A row's room
// follows from its bytes: those that pad it count, and so do some more, because whatever reads a row reads whole cache
// lines. It is hardly more than the number of documents where these are many; where they are few, no fraction of them
// makes up for a row, and terms are listed, however many terms there are.
#pragma once

#include <cstddef>

namespace thresher {

// In documents, of a row of so many bytes, each of which has a place for `docs_per_byte`.
inline std::size_t row_room(std::size_t row_bytes, std::size_t docs_per_byte) noexcept {
    constexpr std::size_t kReading = 256;  // four lines
    return (row_bytes + kReading) * docs_per_byte;
}

}  // namespace thresher

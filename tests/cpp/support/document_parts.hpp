// What every engine has of its documents: the parts that others are built from.
#pragma once

#include "core/documents/quantiser.hpp"
#include "core/documents/stored_documents.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

struct DocumentParts {
    explicit DocumentParts(const Rows& docs) {
        Progress progress = silent();
        vocabulary = Vocabulary::build(docs.view(), 1, progress);
        forward =
            ForwardIndex::build(GivenDocuments(docs.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
        quantiser = Quantiser::build(forward, vocabulary, 1, progress);
    }

    StoredDocuments documents;
    Vocabulary& vocabulary = documents.vocabulary;
    ForwardIndex& forward = documents.forward;
    Quantiser quantiser;
};

}  // namespace thresher::test

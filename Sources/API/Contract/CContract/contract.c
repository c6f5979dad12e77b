// The files become part of the program here rather than as resources of Swift: a C compiler takes
// them as they are, where Swift's would type-check a quarter of a million numbers.
#pragma clang diagnostic ignored "-Wc23-extensions"

#include "contract.h"

static const unsigned char document[] = {
#embed "../../../../openapi.yaml"
};

static const unsigned char page[] = {
#embed "docs.html"
};

struct contract_text contract_document(void) {
  return (struct contract_text){document, sizeof document};
}

struct contract_text contract_page(void) {
  return (struct contract_text){page, sizeof page};
}

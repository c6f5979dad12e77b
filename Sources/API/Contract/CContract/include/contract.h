#ifndef CONTRACT_H
#define CONTRACT_H

#include <stddef.h>

struct contract_text {
  const unsigned char *start;
  size_t length;
};

/// openapi.yaml, as it lies at the top of the project.
struct contract_text contract_document(void);

/// The page that scripts/docs-page makes of it.
struct contract_text contract_page(void);

#endif

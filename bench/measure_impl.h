/* What the command line says. */
#ifndef SAROS_MEASURE_IMPL_H
#define SAROS_MEASURE_IMPL_H

#include <stdio.h>

#include "bench_impl.h"

typedef struct bench_session {
    bool quick;
    FILE *csv; /**< NULL: none */
    int words;
    char *const *word; /**< a row runs if its name holds one of them; none: all run */
} bench_session;

/** From here on rows are measured so; prints the head of the table. */
void bench_session_begin(const bench_session *session);

#endif

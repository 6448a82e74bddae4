/* Smallest, largest and NaN count of numbers, as listings of files show them. */
#ifndef SAROS_SUMMARY_IMPL_H
#define SAROS_SUMMARY_IMPL_H

#include <math.h>
#include <stddef.h>
#include <stdio.h>

typedef struct saros_summary {
    double least, most; /**< over what is not NaN */
    long long nans;
} saros_summary;

#define SAROS_SUMMARY_EMPTY                                                                        \
    { INFINITY, -INFINITY, 0 }

/** Adds `count` numbers. */
static inline void saros_summarise(const double *value, size_t count, saros_summary *summary) {
    for (size_t i = 0; i < count; ++i) {
        if (isnan(value[i])) {
            summary->nans += 1;
        } else {
            summary->least = fmin(summary->least, value[i]);
            summary->most = fmax(summary->most, value[i]);
        }
    }
}

/** "  min -1  max 1  NaN 2", leaving out what there is not. */
static inline void saros_summary_print(const saros_summary *summary, FILE *to) {
    if (summary->least <= summary->most)
        fprintf(to, "  min %.6g  max %.6g", summary->least, summary->most);
    if (summary->nans) fprintf(to, "  NaN %lld", summary->nans);
}

#endif

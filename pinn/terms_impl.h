/** Inside of the network method: the terms of the loss, each residuals on a set of points. */
#ifndef SAROS_TERMS_IMPL_H
#define SAROS_TERMS_IMPL_H

#include "lower_impl.h"
#include "saros/pinn.h"

/** One term: weight * sum_i q_i sum_k (r_k(x_i) - target_ik)^2. */
typedef struct saros_term {
    saros_expansion expansion; /**< its outputs are r_k */
    double weight;
    int64_t count; /**< points */
    int fixed;     /**< coordinate held at `at`, -1: none */
    double at;
    int targets;          /**< 0, or one per output */
    saros_tensor *points; /**< f64 (count, coordinates + targets + 1): x, targets, q */
} saros_term;

enum { SAROS_MOST_TERMS = 9 }; /**< equation, six faces, initial, data */
typedef struct saros_terms {
    int count; /**< the equation's is the first */
    saros_term term[SAROS_MOST_TERMS];
} saros_terms;

/** Terms of all conditions that the ansatz does not meet exactly, and their points.
 *  @param data NULL: none. Errors: UNSUPPORTED for a flux condition; those of the sampler. */
saros_status saros_terms_make(const saros_ansatz *ansatz, const saros_pinn_options *options,
                              const saros_fit_data *data, saros_terms *out);
/** The data as a term: targets are the values. Its content is released like that of any term. */
saros_status saros_data_term(const saros_ansatz *ansatz, const saros_fit_data *data, double weight,
                             saros_term *term);
void saros_terms_clear(saros_terms *terms);
/** Points in the domain for coordinates (n, coordinates), `fixed` held at `at`; f64. */
saros_status saros_domain_points(const saros_ansatz *ansatz, const char *sampler, int64_t seed,
                                 int64_t n, int fixed, double at, saros_tensor **out);

#endif

/** Inside of the samplers. */
#ifndef SAROS_SAMPLE_IMPL_H
#define SAROS_SAMPLE_IMPL_H

#include "saros/tensor.h"

/** The first n Sobol points in d dimensions, coordinate k xored with shift[k], into out (n, d). */
saros_status saros_sobol_points(const uint32_t *shift, int64_t n, int d, double *out);

#endif

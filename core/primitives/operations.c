/** How many floating operations families of rows take, by the usual counts (Golub and Van Loan,
 * Matrix Computations, for factorisations; 5 n log2 n for Fourier transforms as is customary). */
#include "primitives/operations_impl.h"

#include <math.h>

#include "primitives/dot_impl.h"
#include "saros/rows.h"

static int64_t last_extent(const saros_tensor *t) {
    const int rank = saros_tensor_rank(t);
    return rank ? saros_tensor_shape(t)[rank - 1] : 1;
}

int64_t saros_count_dot(const saros_evaluation *e) {
    const saros_tensor *a = e->in[e->ins - 2];
    const saros_dot_side side = saros_dot_read(e->attributes->word, 0, saros_tensor_rank(a));
    int64_t k = 1;
    for (int i = 0; i < side.contracts; ++i) k *= saros_tensor_shape(a)[side.contract[i]];
    const bool floating = saros_dtype_is_float(saros_tensor_dtype(e->out[0]));
    return floating ? 2 * k * saros_tensor_count(e->out[0]) : 0;
}

int64_t saros_count_reduced(const saros_evaluation *e) {
    const saros_tensor *x = e->in[0];
    return saros_dtype_is_float(saros_tensor_dtype(x)) ? saros_tensor_count(x) : 0;
}

int64_t saros_count_lu(const saros_evaluation *e) {
    return 2 * saros_tensor_count(e->in[0]) * last_extent(e->in[0]) / 3;
}
int64_t saros_count_cholesky(const saros_evaluation *e) {
    return saros_tensor_count(e->in[0]) * last_extent(e->in[0]) / 3;
}

int64_t saros_count_triangular(const saros_evaluation *e) {
    return saros_tensor_count(e->out[0]) * last_extent(e->in[0]);
}
int64_t saros_count_lu_solve(const saros_evaluation *e) {
    return 2 * saros_count_triangular(e);
}

int64_t saros_count_fft(const saros_evaluation *e) {
    const bool inverse = e->row == &saros_row_irfft, pairs = e->row == &saros_row_fft;
    const saros_tensor *x = inverse ? e->out[0] : e->in[0];
    const double n = (double)last_extent(x), each = pairs ? 5 : 2.5;
    return n > 1 ? (int64_t)(each * (double)saros_tensor_count(x) * log2(n)) : 0;
}

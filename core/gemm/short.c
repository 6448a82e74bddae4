/** Products contracted over up to four elements, for which libraries have more overhead than work:
 * plain loops along the columns of c, a tile of b copied in front of them. */
#include "gemm/gemm_impl.h"
#include "primitives/pointwise_impl.h"

enum { TILE = 128 /* columns at a time */ };

#define REAL double
#define SHORT_PRODUCT short_f64
#include "gemm/short_impl.h"

#define REAL float
#define SHORT_PRODUCT short_f32
#include "gemm/short_impl.h"

void saros_gemm_short(const saros_gemm *g) {
    if (g->dtype == SAROS_F64)
        short_f64(g);
    else
        short_f32(g);
}

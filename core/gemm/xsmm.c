/** Machine code for one product, made by libxsmm for its shape and kept in its registry: it packs
 * nothing and reaches the peak on tiles that fit into the second-level cache.
 *
 *  libxsmm is column-major, c^T = b^T a^T; its first operand must not be transposed, so b has to be
 * row-major. Each sum runs over k in order on every vector width. Code for AVX2 with
 * SAROS_MAX_ISA=avx2, none with SAROS_MAX_ISA=none. Source: Heinecke, Henry, Hutchinson, Pabst:
 * LIBXSMM, SC 2016.
 */
#include <libxsmm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gemm/gemm_impl.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable;

static void start(void) {
    const char *most = getenv("SAROS_MAX_ISA");
    if (most && strcmp(most, "none") == 0) return;
    libxsmm_init();
    if (most && strcmp(most, "avx2") == 0 && libxsmm_get_target_archid() > LIBXSMM_X86_AVX2)
        libxsmm_set_target_archid(LIBXSMM_X86_AVX2);
    usable = libxsmm_get_target_archid() >= LIBXSMM_X86_AVX2;
}

bool saros_gemm_small_can(const saros_gemm *g) {
    if (g->b_columns) return false;
    pthread_once(&once, start);
    return usable;
}

bool saros_gemm_small(const saros_gemm *g) {
    const int m = (int)g->m, n = (int)g->n, k = (int)g->k, none = 0;
    const int lda = (int)g->lda, ldb = (int)g->ldb, ldc = (int)g->ldc;
    const int flags = g->a_columns ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    if (!saros_gemm_small_can(g)) return false;
    if (g->dtype == SAROS_F64) {
        const double one = 1, beta = g->add;
        libxsmm_dmmfunction code =
            libxsmm_dmmdispatch(n, m, k, &ldb, &lda, &ldc, &one, &beta, &flags, &none);
        if (code) code(g->b, g->a, g->c);
        return code != NULL;
    }
    const float one = 1, beta = g->add;
    libxsmm_smmfunction code =
        libxsmm_smmdispatch(n, m, k, &ldb, &lda, &ldc, &one, &beta, &flags, &none);
    if (code) code(g->b, g->a, g->c);
    return code != NULL;
}

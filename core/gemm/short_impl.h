/** The products of short.c in one dtype, included once for each: REAL its type, SHORT_PRODUCT the
 * name of the function. */

SAROS_FAST static void SHORT_PRODUCT(const saros_gemm *g) {
    REAL tile[SAROS_GEMM_SHORT][TILE], *y = g->c;
    const REAL *x = g->a, *w = g->b;
    const int64_t n = g->n, row_a = g->a_columns ? 1 : g->lda, k_a = g->a_columns ? g->lda : 1;
    const int64_t row_b = g->b_columns ? g->ldb : 1, k_b = g->b_columns ? 1 : g->ldb;
    for (int64_t first = 0; first < n; first += TILE) {
        int64_t m = n - first < TILE ? n - first : TILE;
        for (int64_t k = 0; k < SAROS_GEMM_SHORT; ++k)
            for (int64_t j = 0; j < m; ++j)
                tile[k][j] = k < g->k ? w[(first + j) * row_b + k * k_b] : 0;
        for (int64_t i = 0; i < g->m; ++i) {
            const REAL *row = x + i * row_a;
            REAL *out = y + i * g->ldc + first, factor[SAROS_GEMM_SHORT] = {0};
            for (int64_t k = 0; k < g->k; ++k) factor[k] = row[k * k_a];
            if (g->k == 1)
                for (int64_t j = 0; j < m; ++j) out[j] = factor[0] * tile[0][j];
            else if (g->k == 2)
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j];
            else if (g->k == 3)
                for (int64_t j = 0; j < m; ++j)
                    out[j] =
                        factor[0] * tile[0][j] + factor[1] * tile[1][j] + factor[2] * tile[2][j];
            else
                for (int64_t j = 0; j < m; ++j)
                    out[j] = factor[0] * tile[0][j] + factor[1] * tile[1][j] +
                             factor[2] * tile[2][j] + factor[3] * tile[3][j];
        }
    }
}

#undef REAL
#undef SHORT_PRODUCT

/* Bratu's problem by hand: residual, Jacobian product, and the plain C program around SNES. */
#include "bratu_impl.h"

#if SAROS_HAVE_PETSC
#include <petscsnes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector_impl.h"

/* Unscaled Laplacian of row i in the columns first … last-1, whose neighbours in the row exist. */
static inline double lap(const double *u, const double *up, const double *down, int64_t j) {
    return (u[j - 1] + u[j + 1]) + (up[j] + down[j]) - 4 * u[j];
}

/* lap u of a row into `out`, zeros around. */
static void lap_row(const double *x, int64_t n, int64_t i, double *restrict out) {
    static const double zero[1 << 12];
    const double *u = x + i * n, *up = i > 0 ? u - n : zero, *down = i < n - 1 ? u + n : zero;
    for (int64_t j = 1; j < n - 1; ++j) out[j] = lap(u, up, down, j);
    out[0] = u[1] + (up[0] + down[0]) - 4 * u[0];
    out[n - 1] = u[n - 2] + (up[n - 1] + down[n - 1]) - 4 * u[n - 1];
}

/* e^x of moderate x by hand: reduction to |r| <= log(2)/2 and the Taylor polynomial of degree 12.
 */
static inline f64s exp_by_hand(f64s x) {
    const f64s zero = {0}, magic = zero + 0x1.8p52;
    const f64s shifted = x * 0x1.71547652b82fep+0 + magic, k = shifted - magic;
    const f64s r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
    const f64s r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    const f64s p0 = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    const f64s p1 = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    const f64s p2 = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600);
    const f64s scale = (f64s)(((i64s)shifted + 1023) << 52);
    return scale * (1 + (r + r2 * (p0 + r4 * p1 + r8 * p2)));
}

void bench_bratu_exp(const double *x, int64_t n, double *out) {
    for (int64_t j = 0; j < n; j += VECTOR_BYTES / 8)
        *(f64s_loose *)(out + j) = exp_by_hand(*(const f64s_loose *)(x + j));
}

void bench_bratu_residual(void *user, int64_t first, int64_t last) {
    const bench_bratu_loop *x = user;
    const int64_t n = x->n, step = VECTOR_BYTES / 8; /* n is a multiple of it */
    const double scale = (double)((n + 1) * (n + 1));
    for (int64_t i = first; i < last; ++i) {
        double *out = x->out + i * n;
        lap_row(x->x, n, i, out);
        for (int64_t j = 0; j < n; j += step) {
            const f64s u = *(const f64s_loose *)(x->x + i * n + j);
            f64s_loose *to = (f64s_loose *)(out + j);
            *to = scale * *to + BRATU_LAMBDA * exp_by_hand(u);
        }
    }
}

void bench_bratu_product(void *user, int64_t first, int64_t last) {
    const bench_bratu_loop *x = user;
    const int64_t n = x->n, step = VECTOR_BYTES / 8;
    const double scale = (double)((n + 1) * (n + 1));
    for (int64_t i = first; i < last; ++i) {
        double *out = x->out + i * n;
        lap_row(x->v, n, i, out);
        for (int64_t j = 0; j < n; j += step) {
            const f64s u = *(const f64s_loose *)(x->x + i * n + j);
            const f64s v = *(const f64s_loose *)(x->v + i * n + j);
            f64s_loose *to = (f64s_loose *)(out + j);
            *to = scale * *to + BRATU_LAMBDA * exp_by_hand(u) * v;
        }
    }
}

/* ---- the whole solve ---- */
static PetscErrorCode plain_residual(SNES snes, Vec x, Vec f, void *user) {
    bench_bratu_loop loop = {.n = ((bench_bratu_run *)user)->n};
    (void)snes;
    PetscCall(VecGetArrayRead(x, &loop.x));
    PetscCall(VecGetArrayWrite(f, &loop.out));
    bench_parallel(loop.n, bench_bratu_residual, &loop);
    PetscCall(VecRestoreArrayWrite(f, &loop.out));
    return VecRestoreArrayRead(x, &loop.x);
}

/* Values of the 5-point matrix in the order of its rows. */
static void fill(const double *x, int64_t n, double *value) {
    const double scale = (double)((n + 1) * (n + 1));
    int64_t count = 0;
    for (int64_t k = 0; k < n * n; ++k) {
        const int64_t i = k / n, j = k % n;
        if (i > 0) value[count++] = scale;
        if (j > 0) value[count++] = scale;
        f64s u = {0};
        u[0] = x[k];
        value[count++] = -4 * scale + BRATU_LAMBDA * exp_by_hand(u)[0];
        if (j < n - 1) value[count++] = scale;
        if (i < n - 1) value[count++] = scale;
    }
}

static PetscErrorCode plain_jacobian(SNES snes, Vec x, Mat a, Mat p, void *user) {
    const PetscScalar *at;
    PetscScalar *to;
    (void)snes, (void)a;
    PetscCall(VecGetArrayRead(x, &at));
    PetscCall(MatSeqAIJGetArray(p, &to));
    fill(at, ((bench_bratu_run *)user)->n, to);
    PetscCall(MatSeqAIJRestoreArray(p, &to));
    PetscCall(VecRestoreArrayRead(x, &at));
    PetscCall(MatAssemblyBegin(p, MAT_FINAL_ASSEMBLY));
    return MatAssemblyEnd(p, MAT_FINAL_ASSEMBLY);
}

static PetscErrorCode make_matrix(const bench_bratu_run *b, Mat *out) {
    const PetscInt n = (PetscInt)(b->n * b->n);
    const int64_t *row = saros_sparsity_rows(b->pattern),
                  *column = saros_sparsity_columns(b->pattern);
    const size_t nonzeros = (size_t)row[n];
    PetscInt *narrow = malloc(((size_t)n + 1 + nonzeros) * sizeof *narrow);
    if (!narrow) return PETSC_ERR_MEM;
    for (PetscInt k = 0; k <= n; ++k) narrow[k] = (PetscInt)row[k];
    for (size_t k = 0; k < nonzeros; ++k) narrow[(size_t)n + 1 + k] = (PetscInt)column[k];
    PetscCall(MatCreate(PETSC_COMM_SELF, out));
    PetscCall(MatSetSizes(*out, n, n, n, n));
    PetscCall(MatSetType(*out, MATSEQAIJ));
    PetscCall(MatSeqAIJSetPreallocationCSR(*out, narrow, narrow + n + 1, NULL));
    free(narrow);
    return 0;
}

static PetscErrorCode solve(bench_bratu_run *b) {
    const PetscInt n = (PetscInt)(b->n * b->n);
    const PetscScalar *found;
    SNES snes;
    KSP ksp;
    PC pc;
    Mat jacobian;
    Vec x, f;
    PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, &x));
    PetscCall(VecDuplicate(x, &f));
    PetscCall(make_matrix(b, &jacobian));
    PetscCall(SNESCreate(PETSC_COMM_SELF, &snes));
    PetscCall(SNESSetType(snes, SNESNEWTONLS));
    PetscCall(SNESSetFunction(snes, f, plain_residual, b));
    PetscCall(SNESSetJacobian(snes, jacobian, jacobian, plain_jacobian, b));
    PetscCall(SNESSetTolerances(snes, 1e-12, BRATU_RTOL, 0, 50, -1));
    PetscCall(SNESGetKSP(snes, &ksp));
    PetscCall(KSPSetType(ksp, KSPGMRES));
    PetscCall(KSPGetPC(ksp, &pc));
    PetscCall(PCSetType(pc, PCGAMG));
    PetscCall(SNESSetFromOptions(snes)); /* there are none; GAMG takes its own defaults here */
    PetscCall(SNESSolve(snes, NULL, x));
    PetscCall(VecGetArrayRead(x, &found));
    memcpy(saros_tensor_data(b->by_hand), found, (size_t)n * sizeof *found);
    PetscCall(VecRestoreArrayRead(x, &found));
    PetscCall(SNESDestroy(&snes));
    PetscCall(MatDestroy(&jacobian));
    PetscCall(VecDestroy(&x));
    return VecDestroy(&f);
}

void bench_bratu_plain(void *user) {
    if (solve(user) == 0) return;
    fprintf(stderr, "the plain program of Bratu's problem failed\n");
    exit(1);
}
#else
typedef int bench_no_petsc; /* a file must not be empty */
#endif

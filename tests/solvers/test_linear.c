/** Linear solves: every method and every derivative against dense ones, shared factors, threads. */
#include <string.h>

#include "linear_chain.h"
#include "saros/memory.h"
#include "saros/pool.h"

enum { LANES = 3, MOST = 8 };

typedef struct method {
    const char *name, *petsc;
    bool krylov, matrix_free;
    double s;
} method;

static const method methods[] = {
    {"direct", NULL, false, false, 0.5},
    {"gmres", NULL, true, false, 0.5},
    {"cg, icc", "ksp_type cg pc_type icc", true, false, 0},
    {"bcgs, jacobi", "ksp_type bcgs pc_type jacobi", true, false, 0.5},
    {"minres", "ksp_type minres pc_type none", true, false, 0},
    {"preonly, lu", "ksp_type preonly pc_type lu", true, false, 0.5},
    {"left gmres", "ksp_type gmres ksp_pc_side left", true, false, 0.5},
    {"gmres without a matrix", NULL, true, true, 0.5},
    {"cg without a matrix", "ksp_type cg", true, true, 0},
};
enum { METHODS = sizeof methods / sizeof *methods };

static saros_value solve_by(const fixture *t, const method *m, saros_value b) {
    saros_krylov_options krylov = {
        .petsc = m->petsc, .matrix_free = m->matrix_free, .solve = {.rtol = 1e-13}};
    saros_linear_options options = {.krylov = m->krylov ? &krylov : NULL, .name = m->name};
    return saros_linear_solve(b, chain_product, (void *)(uintptr_t)&t->k, &options);
}

/* ---- what is compared ---- */

static int forward_reverse(const fixture *t, saros_value x, saros_value *out) {
    saros_value gradient[3], along[3] = {SAROS_NONE, SAROS_NONE, SAROS_NONE};
    reverse(t, x, gradient);
    along[0] = all_of(t->in[0], 1);
    along[2] = all_of(t->in[2], 0.5);
    saros_jvp(3, gradient, 3, t->in, along, out);
    return 3;
}

static int reverse_reverse(const fixture *t, saros_value x, saros_value *out) {
    saros_value gradient[3];
    reverse(t, x, gradient);
    saros_value square = saros_add(saros_mul(gradient[0], gradient[0]),
                                   saros_sum(saros_mul(gradient[1], gradient[2]), 1));
    saros_vjp(1, &square, NULL, 3, t->in, out);
    return 3;
}

static int taylor(const fixture *t, saros_value x, saros_value *out) {
    saros_value series[9];
    for (int k = 0; k < 9; ++k) series[k] = k % 3 ? SAROS_NONE : all_of(t->in[k / 3], 1);
    saros_jet(1, &x, 3, t->in, 3, series, out);
    return 3;
}

/* Lanes of x: with `which` bit k, input k differs from lane to lane, b by factors 0, 1, 1e-6. */
static saros_value lanes(const fixture *t, saros_value x, int which) {
    saros_body *body = NULL;
    saros_value *capture = NULL, in[3], out;
    bool batched[3];
    ck_ok(saros_body_extract(t->g, 3, t->in, 1, &x, &body, &capture));
    ck_assert_int_eq(saros_body_captures(body), 0);
    for (int k = 0; k < 3; ++k) {
        static const double factor[2][LANES] = {{1, 0.9, 1.2}, {0, 1, 1e-6}};
        saros_type type = *saros_value_type(t->in[k]);
        saros_tensor *scale = NULL;
        batched[k] = which & 1 << k;
        in[k] = t->in[k];
        if (!batched[k]) continue;
        const int64_t shape[2] = {LANES, type.rank ? type.shape[0] : 0}, along = LANES;
        ck_ok(saros_tensor_from(SAROS_F64, 1, &along, factor[k == 2], &scale));
        saros_value each = saros_constant(t->g, scale);
        saros_tensor_release(scale);
        each = saros_broadcast(each, 1 + type.rank, shape, (int[]){0});
        in[k] = saros_mul(each, saros_broadcast(in[k], 1 + type.rank, shape, (int[]){1}));
    }
    saros_vmap(t->g, body, LANES, in, batched, &out);
    saros_body_release(body);
    saros_release(capture);
    return out;
}

static int lanes_of_b(const fixture *t, saros_value x, saros_value *out) {
    out[0] = lanes(t, x, 4);
    return 1;
}
static int lanes_of_all(const fixture *t, saros_value x, saros_value *out) {
    out[0] = lanes(t, x, 7);
    return 1;
}
/* Lanes of lanes: 3 x 3 systems in one. */
static int lanes_of_lanes(const fixture *t, saros_value x, saros_value *out) {
    out[0] = lanes(t, saros_mul(lanes(t, x, 2), saros_like(x, 2)), 4 + 1);
    return 1;
}
static int reverse_of_lanes(const fixture *t, saros_value x, saros_value *out) {
    return reverse(t, lanes(t, x, 3), out);
}

typedef int derive_fn(const fixture *t, saros_value x, saros_value *out);
typedef struct word {
    const char *name;
    derive_fn *derive;
} word;
static const word words[] = {
    {"x", plain},
    {"jvp", forward},
    {"vjp", reverse},
    {"jvp of vjp", forward_reverse},
    {"vjp of vjp", reverse_reverse},
    {"jet", taylor},
    {"vmap over b", lanes_of_b},
    {"vmap over A and b", lanes_of_all},
    {"vmap of vmap", lanes_of_lanes},
    {"vjp of vmap", reverse_of_lanes},
};
enum { WORDS = sizeof words / sizeof *words };

/* Each row of the last axis against its own size: lanes converge by themselves. */
static void compare(const char *by, const char *what, const saros_tensor *got,
                    const saros_tensor *want) {
    int64_t count = saros_tensor_count(want), wide = count < N ? 1 : N;
    const double *a = saros_tensor_const_data(got), *b = saros_tensor_const_data(want);
    ck_assert_int_eq(saros_tensor_count(got), count);
    for (int64_t r = 0; r < count; r += wide) {
        double size = 0, apart = 0;
        for (int64_t i = r; i < r + wide; ++i) {
            size = fmax(size, fabs(b[i]));
            apart = fmax(apart, fabs(a[i] - b[i]));
        }
        ck_assert_msg(apart <= 1e-9 * size, "%s, %s: row %d differs by %.3g of %.3g", by, what,
                      (int)(r / wide), apart, size);
    }
}

START_TEST(every_method_has_the_derivatives_of_the_dense_solve) {
    for (int m = 0; m < METHODS; ++m)
        for (int w = 0; w < WORDS; ++w) {
            fixture t = fixture_make(methods[m].s);
            saros_value out[2 * MOST];
            saros_tensor *value[2 * MOST] = {NULL};
            saros_function *f = NULL;
            int count = words[w].derive(&t, solve_by(&t, &methods[m], t.in[2]), out);
            words[w].derive(&t, solve_dense(&t, t.in[2]), out + count);
            ck_ok(saros_compile(t.g, 3, t.in, 2 * count, out, NULL, &f));
            ck_ok(saros_function_call(f, t.at, value, NULL));
            for (int k = 0; k < count; ++k)
                compare(methods[m].name, words[w].name, value[k], value[count + k]);
            for (int k = 0; k < 2 * count; ++k) saros_tensor_release(value[k]);
            saros_function_release(f);
            fixture_free(&t);
        }
}
END_TEST

/* Several right-hand sides, and solves of one graph with the same A: one factor. */
START_TEST(solves_with_one_matrix_share_its_factor) {
    for (int m = 0; m < METHODS; ++m) {
        fixture t = fixture_make(methods[m].s);
        saros_value one = solve_by(&t, &methods[m], t.in[2]);
        saros_value other = solve_by(&t, &methods[m], saros_sin(t.in[2])), x[2];
        x[0] = saros_reshape(t.in[2], 2, (int64_t[]){1, N});
        x[1] = saros_sin(x[0]);
        saros_value both = solve_by(&t, &methods[m], saros_concat(2, x, 0));
        ck_assert_int_eq(saros_graph_node(t.g, one.id, NULL).operand[0],
                         saros_graph_node(t.g, other.id, NULL).operand[0]);
        ck_assert_int_eq(saros_graph_node(t.g, one.id, NULL).operand[0],
                         saros_graph_node(t.g, both.id, NULL).operand[0]);
        saros_value out[2] = {both, saros_concat(2, (saros_value[]){one, other}, 0)};
        saros_tensor *value[2] = {NULL};
        saros_function *f = NULL;
        ck_ok(saros_compile(t.g, 3, t.in, 2, out, NULL, &f));
        ck_ok(saros_function_call(f, t.at, value, NULL));
        compare(methods[m].name, "columns", value[0], value[1]);
        for (int k = 0; k < 2; ++k) saros_tensor_release(value[k]);
        saros_function_release(f);
        fixture_free(&t);
    }
}
END_TEST

/* A long chain: the same bits on any number of threads, with a matrix and without. */
START_TEST(bits_do_not_hang_on_threads) {
    const int64_t n = 30000;
    for (int shell = 0; shell < 2; ++shell) {
        double *first = malloc((size_t)n * sizeof *first);
        for (int threads = 1; threads <= 4; threads *= 2) {
            saros_graph *g = NULL;
            saros_function *f = NULL;
            saros_tensor *x = NULL;
            ck_ok(saros_threads_set(threads));
            ck_ok(saros_graph_make(&g));
            saros_type scalar = saros_type_scalar(SAROS_F64),
                       vector = saros_type_make(SAROS_F64, 1, &n);
            saros_type count = saros_type_make(SAROS_I64, 1, &n);
            saros_value i = saros_cast(saros_iota(g, &count, 0), SAROS_F64), all[1];
            chain k = {saros_splat(g, &scalar, 1), saros_splat(g, &vector, 2), 0.5};
            const saros_krylov_options krylov = {.matrix_free = shell};
            all[0] = saros_linear_solve(saros_sin(i), chain_product, &k,
                                        &(saros_linear_options){.krylov = &krylov});
            ck_ok(saros_compile(g, 0, NULL, 1, all, NULL, &f));
            ck_ok(saros_function_call(f, NULL, &x, NULL));
            const double *value = saros_tensor_const_data(x);
            if (threads == 1)
                memcpy(first, value, (size_t)n * sizeof *first);
            else
                ck_assert_mem_eq(first, value, (size_t)n * sizeof *first);
            saros_tensor_release(x);
            saros_function_release(f);
            saros_graph_release(g);
        }
        free(first);
    }
    ck_ok(saros_threads_set(1));
}
END_TEST

SAROS_TEST_MAIN("solvers/linear", every_method_has_the_derivatives_of_the_dense_solve,
                solves_with_one_matrix_share_its_factor, bits_do_not_hang_on_threads)

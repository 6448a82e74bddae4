/** Linear solves: every method and every derivative against dense ones, and every failure. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/linear.h"
#include "saros/memory.h"

enum { N = 12, LANES = 3, MOST = 8 };

/* (A x)_i = (d_i + p^2) x_i - x_{i-1} - x_{i+1} + s p (x_{i+1} - x_{i-1}): symmetric for s = 0 */
typedef struct chain {
    saros_value p, d;
    double s;
} chain;

static saros_status chain_product(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    const chain *k = user;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value own = saros_mul(saros_add(k->d, saros_mul(k->p, k->p)), x);
    saros_value skew = saros_mul(saros_mul(k->p, saros_sub(right, left)), saros_like(x, k->s));
    *y = saros_add(saros_sub(own, saros_add(left, right)), skew);
    return SAROS_OK;
}

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

/* p, d, b; and the point. */
typedef struct fixture {
    saros_graph *g;
    saros_value in[3];
    saros_tensor *at[3];
    chain k;
} fixture;

static fixture fixture_make(double s) {
    fixture t = {0};
    const int64_t n = N;
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    ck_ok(saros_graph_make(&t.g));
    t.in[0] = saros_input(t.g, &scalar, "p");
    t.in[1] = saros_input(t.g, &vector, "d");
    t.in[2] = saros_input(t.g, &vector, "b");
    t.k = (chain){t.in[0], t.in[1], s};
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &t.at[0]));
    for (int k = 1; k < 3; ++k) {
        ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &t.at[k]));
        double *v = saros_tensor_data(t.at[k]);
        for (int i = 0; i < N; ++i) v[i] = k == 1 ? 2 + 0.1 * sin(1.3 * i) : cos(0.7 * i);
    }
    return t;
}

static void fixture_free(fixture *t) {
    for (int k = 0; k < 3; ++k) saros_tensor_release(t->at[k]);
    saros_graph_release(t->g);
}

static saros_value solve_by(const fixture *t, const method *m, saros_value b) {
    saros_krylov_options krylov = {
        .petsc = m->petsc, .matrix_free = m->matrix_free, .solve = {.rtol = 1e-13}};
    saros_linear_options options = {.krylov = m->krylov ? &krylov : NULL, .name = m->name};
    return saros_linear_solve(b, chain_product, (void *)(uintptr_t)&t->k, &options);
}

/* A as an array, solved by dense LU. */
static saros_value solve_dense(const fixture *t, saros_value b) {
    saros_type type = *saros_value_type(t->in[1]);
    saros_value x = saros_splat(t->g, &type, 0), y;
    x = saros_alias(x);
    ck_ok(chain_product(t->g, x, (void *)(uintptr_t)&t->k, &y));
    return saros_solve(saros_dense_jacobian(y, x), b);
}

/* ---- what is compared ---- */

static saros_value all_of(saros_value like, double value) {
    saros_type type = *saros_value_type(like);
    return saros_splat(like.graph, &type, value);
}

static int plain(const fixture *t, saros_value x, saros_value *out) {
    (void)t;
    out[0] = x;
    return 1;
}

static int forward(const fixture *t, saros_value x, saros_value *out) {
    saros_value along[3];
    for (int k = 0; k < 3; ++k) along[k] = saros_sin(saros_add(t->in[k], saros_like(t->in[k], k)));
    saros_jvp(1, &x, 3, t->in, along, out);
    return 1;
}

static int reverse(const fixture *t, saros_value x, saros_value *out) {
    saros_value w = saros_cos(x);
    saros_vjp(1, &x, &w, 3, t->in, out);
    return 3;
}

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

static saros_status run(const fixture *t, saros_value x) {
    saros_function *f = NULL;
    saros_tensor *value = NULL;
    saros_status status = saros_compile(t->g, 3, t->in, 1, &x, NULL, &f);
    if (status == SAROS_OK) status = saros_function_call(f, t->at, &value, NULL);
    ck_assert(status == SAROS_OK || value == NULL);
    saros_tensor_release(value);
    saros_function_release(f);
    return status;
}

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

/* ---- failures ---- */

static saros_status square(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_mul(x, x);
    return SAROS_OK;
}
static saros_status affine(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_add(saros_mul(saros_like(x, 2), x), saros_like(x, 1));
    return SAROS_OK;
}
static saros_status differences(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_sub(x, saros_shift(x, 0, 1, SAROS_EDGE_WRAP));
    return SAROS_OK;
}
static saros_status scaled(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    *y = saros_mul(*(saros_value *)user, x);
    return SAROS_OK;
}
static saros_status shortened(saros_graph *g, saros_value x, void *user, saros_value *y) {
    (void)g;
    (void)user;
    *y = saros_slice(x, 0, 0, N - 1, 1);
    return SAROS_OK;
}

static const saros_krylov_options krylov_matrix = {.solve = {.max_iterations = 200}};
static const saros_krylov_options krylov_shell = {.matrix_free = true,
                                                  .solve = {.max_iterations = 200}};

/* The status of solving with `product`, directly and by both Krylov ways. */
static void check_refused(saros_residual_fn product, saros_status direct, saros_status matrix,
                          saros_status shell) {
    const saros_krylov_options *ways[] = {NULL, &krylov_matrix, &krylov_shell};
    const saros_status want[] = {direct, matrix, shell};
    for (int k = 0; k < 3; ++k) {
        fixture t = fixture_make(0);
        saros_value x = saros_linear_solve(
            t.in[2], product, &t.k, &(saros_linear_options){.krylov = ways[k], .name = "probe"});
        ck_fails(run(&t, x), want[k]);
        fixture_free(&t);
    }
}

START_TEST(products_that_are_not_linear_or_not_square_are_refused) {
    check_refused(square, SAROS_ERR_USAGE, SAROS_ERR_USAGE, SAROS_ERR_USAGE);
    check_refused(affine, SAROS_ERR_USAGE, SAROS_ERR_USAGE, SAROS_ERR_USAGE);
    ck_assert_str_eq(saros_error_last()->where, "probe");
    check_refused(shortened, SAROS_ERR_SHAPE, SAROS_ERR_SHAPE, SAROS_ERR_SHAPE);
}
END_TEST

START_TEST(singular_matrices_are_errors) {
    check_refused(differences, SAROS_ERR_DOMAIN, SAROS_ERR_NOT_CONVERGED, SAROS_ERR_NOT_CONVERGED);
    ck_assert_str_eq(saros_error_last()->where, "probe");
    ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "iterations"));
}
END_TEST

START_TEST(values_that_are_not_finite_are_errors) {
    const saros_krylov_options *ways[] = {NULL, &krylov_matrix, &krylov_shell};
    for (int k = 0; k < 3; ++k)
        for (int of_b = k == 0 ? 0 : 1; of_b >= 0; --of_b) {
            fixture t = fixture_make(0);
            saros_value bad = saros_log(saros_sub(t.in[1], saros_like(t.in[1], 10)));
            saros_value b = of_b ? bad : t.in[2], a = of_b ? t.in[1] : bad;
            saros_value x =
                saros_linear_solve(b, scaled, &a, &(saros_linear_options){.krylov = ways[k]});
            ck_fails(run(&t, x), SAROS_ERR_NAN);
            fixture_free(&t);
        }
}
END_TEST

START_TEST(wrong_right_sides_and_patterns_are_refused) {
    fixture t = fixture_make(0);
    ck_assert(saros_is_poisoned(
        saros_linear_solve(saros_cast(t.in[2], SAROS_F32), chain_product, &t.k, NULL)));
    ck_fails(saros_graph_status(t.g), SAROS_ERR_TYPE);
    fixture_free(&t);
    saros_sparsity *pattern = NULL;
    int64_t row[N + 1], column[N];
    for (int i = 0; i < N; ++i) row[i] = column[i] = i;
    row[N] = N;
    for (int k = 0; k < 2; ++k) {
        t = fixture_make(0);
        ck_ok(saros_sparsity_make(N, row, column, &pattern));
        saros_linear_options options = {.sparsity = pattern, .krylov = k ? &krylov_matrix : NULL};
        ck_fails(run(&t, saros_linear_solve(t.in[2], chain_product, &t.k, &options)),
                 SAROS_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(saros_error_last()->message, "misses entries"));
        saros_sparsity_release(pattern);
        fixture_free(&t);
    }
}
END_TEST

static void check_option(const char *petsc, const char *said) {
    fixture t = fixture_make(0);
    const saros_krylov_options krylov = {.petsc = petsc};
    saros_value x = saros_linear_solve(t.in[2], chain_product, &t.k,
                                       &(saros_linear_options){.krylov = &krylov});
    ck_fails(run(&t, x), SAROS_ERR_USAGE);
    ck_assert_msg(strstr(saros_error_last()->message, said) != NULL, "%s",
                  saros_error_last()->message);
    fixture_free(&t);
}

START_TEST(options_petsc_does_not_know_are_errors) {
    check_option("ksp_type gmress", "gmress");
    check_option("pc_type iluu", "iluu");
    check_option("ksp_tipe cg", "ksp_tipe");
    check_option("ksp_type", "has no value");
    check_option("ksp_monitor 1", "prints");
}
END_TEST

/* One iteration allowed to the solve, its derivative, or its transposed derivative: the message
 * tells which did not converge. */
START_TEST(failures_tell_solve_derivative_and_transposed_derivative_apart) {
    static const char *const said[] = {"the solve did", "the derivative did",
                                       "the transposed derivative did"};
    static derive_fn *const derive[] = {plain, forward, reverse};
    for (int m = 0; m < 2; ++m)
        for (int role = 0; role < 3; ++role) {
            fixture t = fixture_make(0);
            saros_krylov_options krylov = {.petsc = "pc_type none", .matrix_free = m == 1};
            const saros_krylov_tolerance few = {.max_iterations = 1}, many = {.max_iterations = 99};
            krylov.solve = role == 0 ? few : many;
            krylov.derivative = role == 1 ? few : many;
            krylov.transposed = role == 2 ? few : many;
            saros_value out[3],
                x = saros_linear_solve(t.in[2], chain_product, &t.k,
                                       &(saros_linear_options){.krylov = &krylov, .name = "heat"});
            derive[role](&t, x, out);
            ck_ok(role == 0 ? SAROS_OK : run(&t, x));
            ck_fails(run(&t, out[0]), SAROS_ERR_NOT_CONVERGED);
            ck_assert_str_eq(saros_error_last()->where, "heat");
            ck_assert_msg(strstr(saros_error_last()->message, said[role]) != NULL, "%s",
                          saros_error_last()->message);
            fixture_free(&t);
        }
}
END_TEST

/* The transposed solve is as exact as its own tolerance says, whatever that of the solve. */
START_TEST(the_transposed_solve_has_its_own_tolerance) {
    double error[2];
    for (int k = 0; k < 2; ++k) {
        fixture t = fixture_make(0);
        saros_krylov_options krylov = {.petsc = "pc_type none",
                                       .transposed = {.rtol = k ? 1e-13 : 1e-2}};
        saros_value x[2] = {saros_linear_solve(t.in[2], chain_product, &t.k,
                                               &(saros_linear_options){.krylov = &krylov}),
                            solve_dense(&t, t.in[2])};
        saros_value gradient[2], one = all_of(t.in[2], 1);
        saros_tensor *value[2] = {NULL};
        saros_function *f = NULL;
        for (int i = 0; i < 2; ++i) saros_vjp(1, &x[i], &one, 1, &t.in[2], &gradient[i]);
        ck_ok(saros_compile(t.g, 3, t.in, 2, gradient, NULL, &f));
        ck_ok(saros_function_call(f, t.at, value, NULL));
        error[k] = 0;
        for (int i = 0; i < N; ++i)
            error[k] = fmax(error[k], fabs(((double *)saros_tensor_data(value[0]))[i] -
                                           ((double *)saros_tensor_data(value[1]))[i]));
        for (int i = 0; i < 2; ++i) saros_tensor_release(value[i]);
        saros_function_release(f);
        fixture_free(&t);
    }
    ck_assert_double_gt(error[0], 1e-6);
    ck_assert_double_le(error[1], 1e-11);
}
END_TEST

SAROS_TEST_MAIN("solvers/linear", every_method_has_the_derivatives_of_the_dense_solve,
                solves_with_one_matrix_share_its_factor,
                products_that_are_not_linear_or_not_square_are_refused,
                singular_matrices_are_errors, values_that_are_not_finite_are_errors,
                wrong_right_sides_and_patterns_are_refused, options_petsc_does_not_know_are_errors,
                failures_tell_solve_derivative_and_transposed_derivative_apart,
                the_transposed_solve_has_its_own_tolerance)

/** Roots whose linear systems are solved by Krylov methods, against those solved directly. */
#include "saros_check.h"

#include <string.h>

#include "saros/nonlinear.h"
#include "saros/root.h"

enum { N = 14 };

/* x_i^3 + p x_i - q_i - (x_{i-1} - 2 x_i + x_{i+1}) + x_i (x_i - x_{i-1}) */
static saros_status residual(saros_graph *g, saros_value x, void *user, saros_value *f) {
    (void)g;
    const saros_value *k = user;
    saros_value left = saros_shift(x, 0, 1, SAROS_EDGE_ZERO);
    saros_value right = saros_shift(x, 0, -1, SAROS_EDGE_ZERO);
    saros_value laplace = saros_sub(saros_add(left, right), saros_mul(saros_like(x, 2), x));
    saros_value own = saros_sub(saros_add(saros_power(x, 3), saros_mul(k[0], x)), k[1]);
    *f = saros_add(saros_sub(own, laplace), saros_mul(x, saros_sub(x, left)));
    return SAROS_OK;
}

typedef struct fixture {
    saros_graph *g;
    saros_value in[2];
    saros_tensor *at[2];
} fixture;

static fixture fixture_make(void) {
    fixture t = {0};
    const int64_t n = N;
    saros_type scalar = saros_type_scalar(SAROS_F64), vector = saros_type_make(SAROS_F64, 1, &n);
    ck_ok(saros_graph_make(&t.g));
    t.in[0] = saros_input(t.g, &scalar, "p");
    t.in[1] = saros_input(t.g, &vector, "q");
    ck_ok(saros_tensor_scalar(SAROS_F64, 0.7, &t.at[0]));
    ck_ok(saros_tensor_make(SAROS_F64, 1, &n, &t.at[1]));
    for (int i = 0; i < N; ++i) ((double *)saros_tensor_data(t.at[1]))[i] = 1 + sin(1.3 * i);
    return t;
}

static void fixture_free(fixture *t) {
    for (int k = 0; k < 2; ++k) saros_tensor_release(t->at[k]);
    saros_graph_release(t->g);
}

static saros_value root_by(const fixture *t, const saros_krylov_options *krylov) {
    saros_type type = *saros_value_type(t->in[1]);
    saros_value k[2] = {t->in[0], t->in[1]};
    return saros_root(saros_splat(t->g, &type, 0.5), residual, k,
                      &(saros_root_options){.rtol = 1e-14, .krylov = krylov, .name = "cubic"});
}

/* x, its tangent, gradients, and the tangents of these. */
static int derive(const fixture *t, saros_value x, saros_value *out) {
    saros_value w = saros_cos(x), along[2];
    for (int k = 0; k < 2; ++k) along[k] = saros_sin(t->in[k]);
    out[0] = x;
    saros_jvp(1, &x, 2, t->in, along, &out[1]);
    saros_vjp(1, &x, &w, 2, t->in, &out[2]);
    saros_jvp(2, &out[2], 2, t->in, along, &out[4]);
    return 6;
}

START_TEST(roots_and_derivatives_are_those_of_direct_solves) {
    static const saros_krylov_options ways[] = {
        {.derivative = {.rtol = 1e-13}},
        {.petsc = "ksp_type bcgs pc_type jacobi", .derivative = {.rtol = 1e-13}},
        {.matrix_free = true, .derivative = {.rtol = 1e-13}},
    };
    for (int w = 0; w < 3; ++w) {
        fixture t = fixture_make();
        saros_value out[12];
        saros_tensor *value[12] = {NULL};
        saros_function *f = NULL;
        int count = derive(&t, root_by(&t, &ways[w]), out);
        derive(&t, root_by(&t, NULL), out + count);
        ck_ok(saros_compile(t.g, 2, t.in, 2 * count, out, NULL, &f));
        ck_ok(saros_function_call(f, t.at, value, NULL));
        for (int k = 0; k < count; ++k)
            for (int64_t i = 0; i < saros_tensor_count(value[k]); ++i)
                ck_near(((double *)saros_tensor_data(value[k]))[i],
                        ((double *)saros_tensor_data(value[count + k]))[i], 1e-11);
        for (int k = 0; k < 2 * count; ++k) saros_tensor_release(value[k]);
        saros_function_release(f);
        fixture_free(&t);
    }
}
END_TEST

/* The message names the root, and which of its linear solves did not converge. */
START_TEST(failures_tell_steps_and_derivatives_apart) {
    static const char *const said[] = {"the solve did", "the derivative did",
                                       "the transposed derivative did"};
    const saros_krylov_tolerance few = {.max_iterations = 1}, many = {.max_iterations = 99};
    for (int role = 0; role < 3; ++role) {
        fixture t = fixture_make();
        saros_krylov_options krylov = {.petsc = "pc_type none",
                                       .solve = role == 0 ? few : many,
                                       .derivative = role == 1 ? few : many,
                                       .transposed = role == 2 ? few : many};
        saros_value out[6];
        saros_tensor *value = NULL;
        saros_function *f = NULL;
        derive(&t, root_by(&t, &krylov), out);
        ck_ok(saros_compile(t.g, 2, t.in, 1, &out[role], NULL, &f));
        ck_fails(saros_function_call(f, t.at, &value, NULL), SAROS_ERR_NOT_CONVERGED);
        ck_assert_ptr_null(value);
        ck_assert_str_eq(saros_error_last()->where, "cubic");
        ck_assert_msg(strstr(saros_error_last()->message, said[role]) != NULL, "%s",
                      saros_error_last()->message);
        saros_function_release(f);
        fixture_free(&t);
    }
    saros_petsc_stop();
}
END_TEST

SAROS_TEST_MAIN("solvers/newton_krylov", roots_and_derivatives_are_those_of_direct_solves,
                failures_tell_steps_and_derivatives_apart)

/** The linear systems of implicit differentiation, and linear solves: J = dF/dx at the solution,
 * taken once (root_factor), then solved with and transposed (root_solve) as often as derivatives
 * ask.
 *
 *  J is given by its product (x, p…, v) -> J v, so that root_solve knows how J depends on x and p
 * and can be differentiated again.
 */
#include "root_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "weigh_impl.h"

static void factor_release(void *payload) {
    saros_root_matrix_release(payload);
}
static const saros_opaque_class factor_class = {"factor of a Jacobian", factor_release};

/* ---- root_factor ---- */

static saros_status factor_type(saros_typing *t) {
    t->output[0] = saros_type_scalar(SAROS_OPAQUE);
    return SAROS_OK;
}

static saros_status factor_evaluate(const saros_evaluation *e) {
    saros_root_setup *setup = saros_root_setup_of(e->attributes);
    saros_status status = SAROS_OK;
    saros_root_matrix *matrix = NULL;
    SAROS_TRY(saros_root_matrix_make(setup, saros_tensor_count(e->in[0]), &matrix));
    SAROS_TRY(saros_root_matrix_take(matrix, e->body, e->ins, e->in));
    status = saros_tensor_opaque(&factor_class, matrix, &e->out[0]);
    matrix = NULL; /* handed over, also on failure */
done:
    if (status)
        saros_error_frame(setup->linear ? "matrix of %s" : "derivative of %s at its solution",
                          setup->name);
    saros_root_matrix_release(matrix);
    return status;
}

const saros_primitive saros_row_root_factor = {
    .name = "root_factor",
    .doc = "Jacobian of a root at its solution, or operator of a linear solve, ready to solve with",
    .operands = -2,
    .outputs = 1,
    .flags = SAROS_REGION | SAROS_CONSTANT,
    .type = factor_type,
    .evaluate = factor_evaluate,
    .batch = saros_root_factor_batch,
};

/* ---- root_solve ---- */

static saros_status solve_type(saros_typing *t) {
    const saros_type *b = &t->operand[1], *x = &t->operand[2];
    if (b->dtype != SAROS_F64 || b->rank < 1 || b->rank > 2 || b->shape[b->rank - 1] != x->shape[0])
        return saros_fail(SAROS_ERR_SHAPE, "root_solve", NULL,
                          "the right-hand side must be f64 of %lld unknowns along its last axis",
                          (long long)x->shape[0]);
    t->output[0] = *b;
    return SAROS_OK;
}

static saros_status solve_evaluate(const saros_evaluation *e) {
    saros_root_matrix *matrix = saros_tensor_payload(e->in[0], &factor_class);
    if (!matrix)
        return saros_fail(SAROS_ERR_TYPE, "root_solve", NULL,
                          "operand 0 is not the factor of a Jacobian");
    saros_status status = saros_tensor_assign(e->out[0], e->in[1]);
    if (status) return status;
    int64_t n = saros_tensor_count(e->in[2]);
    int64_t columns = n ? saros_tensor_count(e->out[0]) / n : 0;
    saros_krylov_call call = {
        .role = (saros_solve_role)e->attributes->word[SOLVE_ROLE],
        .transposed = e->attributes->word[SOLVE_TRANSPOSED] != 0,
        .ins = e->ins - 2,
        .in = e->in + 2,
    };
    for (int k = 0; k < e->attributes->bodies; ++k) call.product[k] = e->body[k];
    return saros_root_matrix_solve(matrix, call, columns, saros_tensor_data(e->out[0]));
}

const saros_primitive saros_row_root_solve = {
    .name = "root_solve",
    .doc = "solution of a linear system, or of its transpose, with the Jacobian of a root or an "
           "operator",
    .operands = -4,
    .outputs = 1,
    .flags = SAROS_REGION | SAROS_COSTLY,
    .type = solve_type,
    .evaluate = solve_evaluate,
    .jvp = saros_root_solve_jvp,
    .vjp = saros_root_solve_vjp,
    .batch = saros_root_solve_batch,
};

static saros_value factor_build(saros_graph *graph, saros_body *product, saros_tensor *setup,
                                int ins, const saros_value *in) {
    saros_attributes attributes = {.tensor = setup};
    saros_body *const body[2] = {product, saros_root_setup_of(&attributes)->entries};
    attributes.body = body;
    attributes.bodies = body[1] ? 2 : 1;
    return saros_build(graph, &saros_row_root_factor, &attributes, ins, in);
}

saros_value saros_root_solve(saros_graph *graph, saros_body *product, saros_tensor *setup,
                             saros_solve_role role, bool transposed, saros_value b, int ins,
                             const saros_value *in) {
    saros_attributes attributes = {
        .tensor = setup, .word = (int64_t[SOLVE_WORDS]){transposed, role}, .words = SOLVE_WORDS};
    saros_body *body[2] = {product, NULL};
    saros_value *operand = saros_values_make(ins + 2), x = SAROS_NONE;
    saros_status status = operand ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status) goto done;
    memcpy(operand + 2, in, (size_t)ins * sizeof *in);
    operand[0] = factor_build(graph, product, setup, ins, in);
    operand[1] = b;
    if (!saros_root_setup_of(&attributes)->pattern)
        SAROS_TRY(saros_body_transpose(graph, product, &body[1]));
    attributes.body = body;
    attributes.bodies = body[1] ? 2 : 1;
    x = saros_build(graph, &saros_row_root_solve, &attributes, ins + 2, operand);
done:
    saros_body_release(body[1]);
    saros_release(operand);
    return status ? saros_poison(graph) : x;
}

const saros_primitive *const *saros_solver_primitives(int *count) {
    static const saros_primitive *const rows[] = {&saros_row_root, &saros_row_root_factor,
                                                  &saros_row_root_solve, &saros_row_weigh};
    *count = (int)(sizeof rows / sizeof *rows);
    return rows;
}

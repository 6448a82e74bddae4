/** The linear systems of implicit differentiation: J = dF/dx at the solution, factorised once
 * (root_factor), then solved with and transposed (root_solve) as often as derivatives ask.
 *
 *  J is given by its product (x, p…, v) -> J v, so that root_solve knows how J depends on x and p
 * and can be differentiated again.
 */
#include "root_impl.h"

#include <string.h>

#include "saros/memory.h"
#include "weigh_impl.h"

static void factor_release(void *payload) {
    saros_direct_release(payload);
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
    saros_direct *direct = NULL;
    double *values =
        saros_allocate((size_t)saros_sparsity_nonzeros(setup->pattern) * sizeof *values);
    if (!values) return SAROS_ERR_MEMORY;
    SAROS_TRY(saros_root_jacobian(setup, e->body, e->ins, e->in, values));
    SAROS_TRY(saros_direct_make(setup->pattern, &direct));
    SAROS_TRY(saros_direct_factorise(direct, values));
    status = saros_tensor_opaque(&factor_class, direct, &e->out[0]);
    direct = NULL; /* handed over, also on failure */
done:
    if (status) saros_error_frame("derivative of %s at its solution", setup->name);
    saros_direct_release(direct);
    saros_release(values);
    return status;
}

const saros_primitive saros_row_root_factor = {
    .name = "root_factor",
    .doc = "factorised Jacobian of a root at its solution",
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
    saros_direct *direct = saros_tensor_payload(e->in[0], &factor_class);
    if (!direct)
        return saros_fail(SAROS_ERR_TYPE, "root_solve", NULL,
                          "operand 0 is not the factor of a Jacobian");
    saros_status status = saros_tensor_assign(e->out[0], e->in[1]);
    if (status) return status;
    const saros_sparsity *pattern = saros_direct_pattern(direct);
    int64_t n = saros_sparsity_size(pattern);
    int64_t columns = n ? saros_tensor_count(e->out[0]) / n : 0;
    return saros_direct_solve(direct, e->attributes->word[0] != 0, columns,
                              saros_tensor_data(e->out[0]));
}

const saros_primitive saros_row_root_solve = {
    .name = "root_solve",
    .doc = "solution of a linear system with the factorised Jacobian of a root, or its transpose",
    .operands = -4,
    .outputs = 1,
    .flags = SAROS_REGION,
    .type = solve_type,
    .evaluate = solve_evaluate,
    .jvp = saros_root_solve_jvp,
    .vjp = saros_root_solve_vjp,
    .batch = saros_root_solve_batch,
};

saros_value saros_root_solve(saros_graph *graph, saros_body *product, saros_tensor *setup,
                             bool transposed, saros_value b, int ins, const saros_value *in) {
    saros_attributes attributes = {.tensor = setup};
    saros_body *scales = saros_root_setup_of(&attributes)->scales;
    saros_body *const body[2] = {product, scales};
    attributes.body = body;
    attributes.bodies = scales ? 2 : 1;
    saros_value *operand = saros_values_make(ins + 2);
    if (!operand) return saros_poison(graph);
    memcpy(operand + 2, in, (size_t)ins * sizeof *in);
    operand[0] = saros_build(graph, &saros_row_root_factor, &attributes, ins, in);
    operand[1] = b;
    attributes.bodies = 1;
    attributes.word = (int64_t[]){transposed};
    attributes.words = 1;
    saros_value x = saros_build(graph, &saros_row_root_solve, &attributes, ins + 2, operand);
    saros_release(operand);
    return x;
}

const saros_primitive *const *saros_solver_primitives(int *count) {
    static const saros_primitive *const rows[] = {&saros_row_root, &saros_row_root_factor,
                                                  &saros_row_root_solve, &saros_row_weigh};
    *count = (int)(sizeof rows / sizeof *rows);
    return rows;
}

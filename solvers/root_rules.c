/** Derivatives of the implicit nodes, by the implicit function theorem, written in values so that
 * they differentiate again.
 *
 *  With J = dF/dx at x and theta = (x, p):
 *
 *      root        F(x, p) = 0:  x' = -J^{-1} F_p p';          p_bar = -F_p^T J^{-T} x_bar
 *      root_solve  J y = b:      y' = J^{-1} (b' - J' y);      b_bar = J^{-T} y_bar,
 *                                                              theta_bar = -d/dtheta (b_bar . J y)
 *                  J^T y = b:    y' = J^{-T} (b' - J'^T y);    b_bar = J^{-1} y_bar,
 *                                                              theta_bar = -d/dtheta (y . J b_bar)
 *
 *  J' y is the derivative of the product (theta, y) -> J y along theta' with y held. Taylor mode
 * and mixed modes follow from these by nesting.
 */
#include "root_impl.h"

#include <string.h>

#include "saros/memory.h"

static saros_value negated(saros_value v) {
    return saros_is_none(v) ? v : saros_neg(v);
}

/* Product body of a root (its second) and of root_solve (its first). */
static saros_body *product_of(const saros_rule *rule) {
    return rule->attributes.body[rule->row == &saros_row_root];
}

/* ---- root ---- */

/* Operands of F: the solution in place of the guess, then p. */
static saros_value *solution_operands(const saros_rule *rule) {
    saros_value *at = saros_values_make(rule->ins);
    if (!at) return NULL;
    memcpy(at, rule->in, (size_t)rule->ins * sizeof *at);
    at[0] = rule->out[0];
    return at;
}

void saros_root_jvp(const saros_rule *rule, const saros_value *tangent, saros_value *out_tangent) {
    saros_value *at = solution_operands(rule), *along = saros_values_make(rule->ins);
    if (!at || !along) {
        out_tangent[0] = saros_poison(rule->graph);
        goto done;
    }
    for (int k = 1; k < rule->ins; ++k) along[k] = tangent[k];
    saros_value moved = saros_body_push(rule->graph, rule->attributes.body[0], at, along);
    out_tangent[0] =
        saros_is_none(moved)
            ? SAROS_NONE
            : saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor,
                               SAROS_SOLVE_DERIVATIVE, false, saros_neg(moved), rule->ins, at);
done:
    saros_release(at);
    saros_release(along);
}

void saros_root_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                    saros_value *gradient) {
    saros_value *at = solution_operands(rule);
    bool *of = saros_allocate_zero((size_t)rule->ins + 1, sizeof *of), any = false;
    if (!at || !of) {
        for (int k = 1; k < rule->ins; ++k)
            if (wanted[k]) gradient[k] = saros_poison(rule->graph);
        goto done;
    }
    /* the guess carries no gradient */
    for (int k = 1; k < rule->ins; ++k) any |= of[k] = wanted[k];
    if (!any) goto done;
    saros_value adjoint =
        saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor,
                         SAROS_SOLVE_TRANSPOSED, true, cotangent[0], rule->ins, at);
    saros_body_pull(rule->graph, rule->attributes.body[0], at, saros_neg(adjoint), of, gradient);
done:
    saros_release(at);
    saros_release(of);
}

/* ---- root_solve: operands factor, b, theta = (x, p…) ---- */

/* theta, then `last`: the operands of a product body. */
static saros_value *product_operands(const saros_rule *rule, saros_value last) {
    saros_value *at = saros_values_make(rule->ins - 1);
    if (!at) return NULL;
    memcpy(at, rule->in + 2, (size_t)(rule->ins - 2) * sizeof *at);
    at[rule->ins - 2] = last;
    return at;
}

static bool transposed_of(const saros_rule *rule) {
    return rule->attributes.word[SOLVE_TRANSPOSED] != 0;
}

static saros_value solve_again(const saros_rule *rule, bool transposed, saros_value b) {
    saros_solve_role role = transposed ? SAROS_SOLVE_TRANSPOSED : SAROS_SOLVE_DERIVATIVE;
    return saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor, role,
                            transposed, b, rule->ins - 2, rule->in + 2);
}

/* The product (theta, y) -> J y or J^T y, for each column if y has several. */
static saros_status product_body(const saros_rule *rule, bool transposed, saros_body **out) {
    saros_body *body = saros_body_retain(product_of(rule)), *next = NULL;
    saros_status status = SAROS_OK;
    if (transposed) {
        SAROS_TRY(saros_body_transpose(rule->graph, body, &next));
        saros_body_release(body);
        body = next;
    }
    saros_type y = *saros_value_type(rule->out[0]);
    if (y.rank == 2) {
        int ins = saros_body_inputs(body);
        bool *batched = saros_allocate_zero((size_t)ins, sizeof *batched);
        if (!batched) SAROS_TRY(SAROS_ERR_MEMORY);
        batched[ins - 1] = true;
        status = saros_body_batch(rule->graph, body, y.shape[0], batched, NULL, &next);
        saros_release(batched);
        if (status) goto done;
        saros_body_release(body);
        body = next;
    }
    *out = body;
    return SAROS_OK;
done:
    saros_body_release(body);
    return status;
}

/* J' y (or J'^T y), or SAROS_NONE if theta does not move. */
static saros_value product_tangent(const saros_rule *rule, const saros_value *tangent) {
    bool moves = false;
    for (int k = 2; k < rule->ins; ++k) moves = moves || !saros_is_none(tangent[k]);
    if (!moves) return SAROS_NONE;
    saros_body *product = NULL;
    saros_value *at = product_operands(rule, rule->out[0]);
    saros_value *along = product_operands(rule, SAROS_NONE);
    saros_value result = SAROS_NONE;
    saros_status status = SAROS_OK;
    if (!at || !along) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(product_body(rule, transposed_of(rule), &product));
    memcpy(along, tangent + 2, (size_t)(rule->ins - 2) * sizeof *along);
    result = saros_body_push(rule->graph, product, at, along);
done:
    saros_body_release(product);
    saros_release(at);
    saros_release(along);
    return status ? saros_poison(rule->graph) : result;
}

void saros_root_solve_jvp(const saros_rule *rule, const saros_value *tangent,
                          saros_value *out_tangent) {
    saros_value moved = negated(product_tangent(rule, tangent));
    saros_value b = saros_is_none(moved)        ? tangent[1]
                    : saros_is_none(tangent[1]) ? moved
                                                : saros_add(tangent[1], moved);
    out_tangent[0] = saros_is_none(b) ? b : solve_again(rule, transposed_of(rule), b);
}

void saros_root_solve_vjp(const saros_rule *rule, const saros_value *cotangent, const bool *wanted,
                          saros_value *gradient) {
    bool transposed = transposed_of(rule), any = false;
    saros_value adjoint = solve_again(rule, !transposed, cotangent[0]), y = rule->out[0];
    if (wanted[1]) gradient[1] = adjoint;
    for (int k = 2; k < rule->ins; ++k) any = any || wanted[k];
    if (!any) return;
    saros_status status = SAROS_OK;
    saros_body *product = NULL;
    bool *of = saros_allocate_zero((size_t)rule->ins, sizeof *of);
    saros_value *at = product_operands(rule, transposed ? adjoint : y);
    saros_value *made = saros_values_make(rule->ins);
    if (!of || !at || !made) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(product_body(rule, false, &product));
    memcpy(of, wanted + 2, (size_t)(rule->ins - 2) * sizeof *of);
    saros_body_pull(rule->graph, product, at, saros_neg(transposed ? y : adjoint), of, made);
    for (int k = 2; k < rule->ins; ++k) gradient[k] = made[k - 2];
done:
    for (int k = 2; status && k < rule->ins; ++k)
        if (wanted[k]) gradient[k] = saros_poison(rule->graph);
    saros_body_release(product);
    saros_release(of);
    saros_release(at);
    saros_release(made);
}

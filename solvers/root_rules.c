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

/* Product body of a root (its second) and of root_solve (its only one). */
static saros_body *product_of(const saros_rule *rule) {
    return rule->attributes.body[rule->attributes.bodies - 1];
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
    out_tangent[0] = saros_is_none(moved)
                         ? SAROS_NONE
                         : saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor,
                                            false, saros_neg(moved), rule->ins, at);
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
    saros_value adjoint = saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor,
                                           true, cotangent[0], rule->ins, at);
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
    return rule->attributes.word[0] != 0;
}

static saros_value solve_again(const saros_rule *rule, bool transposed, saros_value b) {
    return saros_root_solve(rule->graph, product_of(rule), rule->attributes.tensor, transposed, b,
                            rule->ins - 2, rule->in + 2);
}

/* A second derivative of several right-hand sides at once would need the product for each. */
static bool refuse_columns(const saros_rule *rule) {
    if (saros_value_rank(rule->out[0]) == 1) return false;
    saros_fail(SAROS_ERR_UNSUPPORTED, "root_solve", "differentiate before batching",
               "the Jacobian of several right-hand sides is not differentiated in this build");
    return true;
}

/* J' y (or J'^T y), or SAROS_NONE if theta does not move. */
static saros_value product_tangent(const saros_rule *rule, const saros_value *tangent) {
    bool moves = false;
    for (int k = 2; k < rule->ins; ++k) moves = moves || !saros_is_none(tangent[k]);
    if (!moves) return SAROS_NONE;
    if (refuse_columns(rule)) return saros_poison(rule->graph);
    saros_body *product = saros_body_retain(product_of(rule)), *swapped = NULL;
    saros_value *at = product_operands(rule, rule->out[0]);
    saros_value *along = product_operands(rule, SAROS_NONE);
    saros_value result = SAROS_NONE;
    saros_status status = at && along ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status == SAROS_OK && transposed_of(rule)) {
        status = saros_body_transpose(rule->graph, product, &swapped);
        if (status == SAROS_OK) {
            saros_body_release(product);
            product = swapped;
        }
    }
    if (status == SAROS_OK) {
        memcpy(along, tangent + 2, (size_t)(rule->ins - 2) * sizeof *along);
        result = saros_body_push(rule->graph, product, at, along);
    }
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
    bool *of = saros_allocate_zero((size_t)rule->ins, sizeof *of);
    saros_value *at = product_operands(rule, transposed ? adjoint : y);
    saros_value *made = saros_values_make(rule->ins);
    if (!of || !at || !made || refuse_columns(rule)) {
        for (int k = 2; k < rule->ins; ++k)
            if (wanted[k]) gradient[k] = saros_poison(rule->graph);
        goto done;
    }
    memcpy(of, wanted + 2, (size_t)(rule->ins - 2) * sizeof *of);
    saros_body_pull(rule->graph, product_of(rule), at, saros_neg(transposed ? y : adjoint), of,
                    made);
    for (int k = 2; k < rule->ins; ++k) gradient[k] = made[k - 2];
done:
    saros_release(of);
    saros_release(at);
    saros_release(made);
}

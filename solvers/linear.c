/** Linear solves in a graph: a root_solve whose operator is a product of its own.
 *
 *  The product (v, p…) -> A v is traced once; the matrix is its derivative, which linearity makes
 * the same wherever it is taken. Whether it is linear is tried when the first matrix is taken
 * (root_matrix.c).
 */
#include "saros/linear.h"

#include <string.h>

#include "root_impl.h"
#include "saros/memory.h"

static saros_status check_right_side(saros_value b, const char *where) {
    const saros_type *type = saros_value_type(b);
    if (type->dtype == SAROS_F64 && (type->rank == 1 || type->rank == 2)) return SAROS_OK;
    return saros_fail(SAROS_ERR_TYPE, where, "reshape the unknowns to one axis",
                      "the right-hand side must be f64 of shape (n) or (k, n)");
}

/* The setup of an earlier solve with the same product and the same solver, or NULL: with one setup
 * the factor is one value. */
static saros_tensor *setup_find(saros_graph *graph, const saros_body *product,
                                const saros_root_options *options) {
    for (int32_t id = saros_graph_count(graph) - 1; id >= 0; --id) {
        saros_node node = saros_graph_node(graph, id, NULL);
        if (node.row == &saros_row_root_factor &&
            saros_body_equal(node.attributes.body[0], product) &&
            saros_root_setup_serves(saros_root_setup_of(&node.attributes), options))
            return node.attributes.tensor;
    }
    return NULL;
}

saros_value saros_linear_solve(saros_value b, saros_residual_fn product, void *user,
                               const saros_linear_options *options) {
    if (saros_is_poisoned(b)) return b;
    saros_root_options as = {.name = "linear_solve"};
    if (options)
        as = (saros_root_options){.name = options->name ? options->name : as.name,
                                  .sparsity = options->sparsity,
                                  .krylov = options->krylov};
    saros_graph *graph = b.graph;
    saros_status status = SAROS_OK;
    saros_body *map = NULL, *applied = NULL;
    saros_tensor *setup = NULL;
    saros_value *capture = NULL, *operand = NULL, x = SAROS_NONE;
    SAROS_TRY(check_right_side(b, as.name));
    const saros_type *type = saros_value_type(b);
    saros_type vector = saros_type_make(SAROS_F64, 1, &type->shape[type->rank - 1]);
    saros_value zero = saros_splat(graph, &vector, 0);
    SAROS_TRY(saros_root_trace(zero, product, user, &map, &capture));
    SAROS_TRY(saros_body_of_product(graph, map, &applied));
    setup = saros_tensor_retain(setup_find(graph, applied, &as));
    if (!setup) SAROS_TRY(saros_root_setup_linear(graph, map, &as, &setup));
    int ins = 1 + saros_body_captures(map);
    operand = saros_values_make(ins);
    if (!operand) SAROS_TRY(SAROS_ERR_MEMORY);
    operand[0] = zero;
    for (int k = 1; k < ins; ++k) operand[k] = capture[k - 1];
    x = saros_root_solve(graph, applied, setup, SAROS_SOLVE_ITSELF, false, b, ins, operand);
done:
    saros_release(capture);
    saros_release(operand);
    saros_body_release(map);
    saros_body_release(applied);
    saros_tensor_release(setup);
    return status ? saros_poison(graph) : x;
}

/** Batched forms of the implicit nodes.
 *
 *  Roots that differ in their operands become one root: the unknowns of all lanes end to end, the
 * Jacobian block diagonal with the pattern repeated (and with no more colours). Its factor is one
 * opaque object for all lanes. Right-hand sides alone are batched without that: one factor, several
 * columns.
 */
#include <string.h>

#include "root_impl.h"
#include "saros/memory.h"

/* Input k of a batched body: with the lanes in front, or end to end. */
static saros_value lane_input(saros_graph *graph, saros_value like, int64_t size, bool batched,
                              bool flat, saros_value *lanes) {
    saros_type type = *saros_value_type(like), wide = type;
    if (batched) {
        wide.rank = type.rank + 1;
        wide.split = type.split << 1;
        wide.shape[0] = size;
        memcpy(wide.shape + 1, type.shape, (size_t)type.rank * sizeof *type.shape);
    }
    saros_type declared = wide;
    if (flat) declared = saros_type_make(type.dtype, 1, &(int64_t){size * type.shape[0]});
    saros_value x = saros_input(graph, &declared, saros_value_name(like));
    *lanes = flat ? saros_reshape(x, wide.rank, wide.shape) : x;
    return x;
}

saros_status saros_body_batch(saros_graph *graph, saros_body *body, int64_t size,
                              const bool *batched, const bool *flat, saros_body **out) {
    int ins = saros_body_inputs(body);
    saros_value y, *x = saros_values_make(ins);
    saros_graph *inner = saros_body_open(graph);
    saros_status status = SAROS_OK;
    if (!x || !inner) SAROS_TRY(SAROS_ERR_MEMORY);
    for (int k = 0; k < ins; ++k)
        lane_input(inner, saros_body_input(body, k), size, batched[k], flat && flat[k], &x[k]);
    saros_vmap(inner, body, size, x, batched, &y);
    if (flat && flat[0]) {
        int64_t n = saros_type_count(saros_value_type(y));
        y = saros_reshape(y, 1, &n);
    }
    saros_graph *closing = inner;
    inner = NULL; /* consumed, also on failure */
    status = saros_body_close(closing, 1, &y, out, NULL);
done:
    saros_graph_release(inner);
    saros_release(x);
    return status;
}

/* The body of F or of its product for all lanes: x, and v of a product, end to end. Flags of p from
 * `batched` (of the operands x, p…). */
static saros_status lanes_body(const saros_rule *rule, saros_body *body, int64_t size,
                               const bool *batched, int operands, saros_body **out) {
    int ins = saros_body_inputs(body);
    bool *flag = saros_allocate_zero(2 * (size_t)ins, sizeof *flag);
    if (!flag) return SAROS_ERR_MEMORY;
    bool *flat = flag + ins;
    for (int k = 0; k < ins; ++k) flag[k] = k == 0 || k >= operands || batched[k];
    flat[0] = true;
    if (ins > operands) flat[operands] = true;
    saros_status status = saros_body_batch(rule->graph, body, size, flag, flat, out);
    saros_release(flag);
    return status;
}

/* The setup with the pattern repeated; the last one is kept, so that root, factor and solve share
 * it. */
static saros_status lanes_setup(const saros_rule *rule, int64_t size, saros_tensor **out) {
    saros_root_setup *setup = saros_root_setup_of(&rule->attributes);
    saros_sparsity *blocks = NULL;
    saros_status status = SAROS_OK;
    pthread_mutex_lock(&setup->lock);
    if (!setup->repeated || setup->copies != size) {
        saros_tensor_release(setup->repeated);
        setup->repeated = NULL;
        if (setup->pattern) status = saros_sparsity_repeat(setup->pattern, size, &blocks);
        if (status == SAROS_OK)
            status = saros_root_setup_like(setup, blocks, setup->lanes * size, &setup->repeated);
        setup->copies = size;
    }
    if (status == SAROS_OK) *out = saros_tensor_retain(setup->repeated);
    pthread_mutex_unlock(&setup->lock);
    saros_sparsity_release(blocks);
    return status;
}

/* v with the lanes in front. */
static saros_value lead(saros_value v, int64_t size, bool batched) {
    if (batched) return v;
    saros_type type = *saros_value_type(v);
    int64_t shape[SAROS_MAX_RANK + 1] = {size};
    int axes[SAROS_MAX_RANK + 1];
    for (int a = 0; a < type.rank; ++a) {
        shape[a + 1] = type.shape[a];
        axes[a] = a + 1;
    }
    return saros_broadcast(v, type.rank + 1, shape, axes);
}

static saros_value end_to_end(saros_value v, int64_t size, bool batched) {
    v = lead(v, size, batched);
    int64_t n = saros_type_count(saros_value_type(v));
    return saros_reshape(v, 1, &n);
}

/* The node of `rule` for all lanes: bodies and setup repeated, operand `x_at` end to end. */
static saros_value lanes_node(const saros_rule *rule, int64_t size, const saros_value *in,
                              const bool *batched, int x_at) {
    const saros_attributes *of = &rule->attributes;
    saros_body *body[2] = {NULL, NULL};
    saros_tensor *setup = NULL;
    saros_value y = SAROS_NONE, *operand = saros_values_make(rule->ins);
    saros_status status = operand ? SAROS_OK : SAROS_ERR_MEMORY;
    if (status) goto done;
    SAROS_TRY(lanes_setup(rule, size, &setup));
    int bodies = of->bodies; /* the entries are those of one lane: many lanes go by products */
    if (rule->row != &saros_row_root_solve && saros_root_setup_of(of)->entries) --bodies;
    for (int k = 0; k < bodies; ++k)
        SAROS_TRY(lanes_body(rule, of->body[k], size, batched + x_at, rule->ins - x_at, &body[k]));
    memcpy(operand, in, (size_t)rule->ins * sizeof *operand);
    operand[x_at] = end_to_end(in[x_at], size, batched[x_at]);
    saros_attributes attributes = *of;
    attributes.body = body;
    attributes.bodies = bodies;
    attributes.tensor = setup;
    y = saros_build(rule->graph, rule->row, &attributes, rule->ins, operand);
done:
    saros_release(operand);
    saros_body_release(body[0]);
    saros_body_release(body[1]);
    saros_tensor_release(setup);
    return status ? saros_poison(rule->graph) : y;
}

static saros_value with_lanes(saros_value flat, int64_t size, int64_t n) {
    return saros_reshape(flat, 2, (int64_t[]){size, n});
}

void saros_root_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched) {
    int64_t n = saros_value_type(rule->in[0])->shape[0];
    out[0] = with_lanes(lanes_node(rule, size, in, batched, 0), size, n);
    out_batched[0] = true;
}

void saros_root_factor_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                             const bool *batched, saros_value *out, bool *out_batched) {
    out[0] = lanes_node(rule, size, in, batched, 0);
    out_batched[0] = true;
}

/* b (…, n) of every lane as columns of one matrix (k, size n), or the vector (size n). */
static saros_value columns_join(saros_value b) {
    saros_type type = *saros_value_type(b);
    int64_t size = type.shape[0], n = type.shape[type.rank - 1];
    if (type.rank == 2) return saros_reshape(b, 1, &(int64_t){size * n});
    return saros_reshape(saros_permute(b, (int[]){1, 0, 2}), 2,
                         (int64_t[]){type.shape[1], size * n});
}

static saros_value columns_part(saros_value y, int64_t size, int64_t n) {
    if (saros_value_rank(y) == 1) return with_lanes(y, size, n);
    int64_t k = saros_value_type(y)->shape[0];
    return saros_permute(saros_reshape(y, 3, (int64_t[]){k, size, n}), (int[]){1, 0, 2});
}

void saros_root_solve_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                            const bool *batched, saros_value *out, bool *out_batched) {
    int64_t n = saros_value_type(rule->in[2])->shape[0];
    bool lanes = false;
    for (int k = 0; k < rule->ins; ++k) lanes = lanes || (k != 1 && batched[k]);
    saros_value b = lead(in[1], size, batched[1]);
    saros_type type = *saros_value_type(b);
    saros_value *operand = saros_values_make(rule->ins);
    out_batched[0] = true;
    if (!operand) {
        out[0] = saros_poison(rule->graph);
        return;
    }
    memcpy(operand, in, (size_t)rule->ins * sizeof *operand);
    if (lanes) {
        operand[1] = columns_join(b);
        out[0] = columns_part(lanes_node(rule, size, operand, batched, 2), size, n);
    } else {
        int64_t columns = n ? saros_type_count(&type) / n : 0;
        operand[1] = saros_reshape(b, 2, (int64_t[]){columns, n});
        saros_value y = saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, operand);
        out[0] = saros_reshape(y, type.rank, type.shape);
    }
    saros_release(operand);
}

/** Affine split of pointwise values: r = sum_j c_j q_j + rest, found node by node.
 *
 *  A node that depends on the q_j through operands of one linear set of its row is affine with
 *      c_j = row(operands: c_j in the set, the others as they are),
 *      rest = row(operands: rest in the set, the others as they are),
 *  the members of the set that do not depend on any q_j counting as zero in c_j. Anything else (a
 * sine of q, a product of two of them, a marker over one) is not affine and is named. Zeros are the
 * symbolic one until the end, so the split adds no arithmetic. */
#include "affine_impl.h"

#include "point_impl.h"
#include "saros/memory.h"
#include "saros/ops.h"
#include "saros/rows.h"

typedef struct split {
    const saros_body *source;
    saros_graph *from, *to;
    int targets;
    const int32_t *target;
    bool *live;
    saros_value *rest; /* by id */
    saros_value *part; /* [id * targets + j], SAROS_NONE: no dependence */
} split;

static bool depends(const split *s, int32_t id) {
    for (int j = 0; j < s->targets; ++j)
        if (!saros_is_none(s->part[id * s->targets + j])) return true;
    return false;
}

/** row(operand) where entries may be the symbolic zero; `set`: operands in which it is linear. */
static saros_value apply(split *s, const saros_node *node, saros_operand_set set,
                         saros_value *operand) {
    bool all_zero = true;
    for (int k = 0; k < node->operands; ++k)
        if (set >> k & 1 && !saros_is_none(operand[k])) all_zero = false;
    if (all_zero && set) return SAROS_NONE;
    bool sum = node->row == &saros_row_add, difference = node->row == &saros_row_sub;
    if ((sum || difference) && saros_is_none(operand[1])) return operand[0];
    if (sum && saros_is_none(operand[0])) return operand[1];
    if (difference && saros_is_none(operand[0])) return saros_neg(operand[1]);
    for (int k = 0; k < node->operands; ++k)
        if (saros_is_none(operand[k])) operand[k] = saros_scalar(s->to, SAROS_F64, 0);
    return saros_build(s->to, node->row, &node->attributes, node->operands, operand);
}

/** The linear set that holds every operand depending on a target; 0 if none does. */
static saros_status find_set(const split *s, const saros_node *node, saros_operand_set *out) {
    saros_operand_set needed = 0;
    for (int k = 0; k < node->operands; ++k)
        if (depends(s, node->operand[k])) needed |= (saros_operand_set)1 << k;
    *out = 0;
    if (!needed) return SAROS_OK;
    if (node->row == &saros_row_derivative)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "affine", NULL,
                          "it stands inside a derivative along another axis");
    for (int k = 0; k < 3; ++k)
        if (node->row->linear_in[k] && (needed & ~node->row->linear_in[k]) == 0) {
            *out = node->row->linear_in[k];
            return SAROS_OK;
        }
    return saros_fail(SAROS_ERR_UNSUPPORTED, "affine", NULL, "'%s' is not linear in it",
                      node->row->name);
}

static saros_status split_node(split *s, int32_t id) {
    saros_node node = saros_graph_node(s->from, id, NULL);
    saros_operand_set set = 0;
    saros_status status = find_set(s, &node, &set);
    if (status != SAROS_OK) return status;
    saros_graph_locate(s->to, node.file, node.line);
    saros_value *operand = saros_allocate((size_t)node.operands * sizeof *operand);
    if (!operand) return SAROS_ERR_MEMORY;
    for (int k = 0; k < node.operands; ++k) operand[k] = s->rest[node.operand[k]];
    if (!set) /* only nodes that depend on a target have a symbolic rest, so no operand is one */
        s->rest[id] = saros_build(s->to, node.row, &node.attributes, node.operands, operand);
    else
        s->rest[id] = apply(s, &node, set, operand);
    for (int j = 0; set && j < s->targets; ++j) {
        bool any = false;
        for (int k = 0; k < node.operands; ++k) {
            saros_value part = s->part[node.operand[k] * s->targets + j];
            any |= !saros_is_none(part);
            operand[k] = set >> k & 1 ? part : s->rest[node.operand[k]];
        }
        if (any) s->part[id * s->targets + j] = apply(s, &node, set, operand);
    }
    saros_release(operand);
    return SAROS_OK;
}

static int target_index(const split *s, int32_t id) {
    for (int j = 0; j < s->targets; ++j)
        if (s->target[j] == id) return j;
    return -1;
}

/** What the outputs need; what stands behind a target is not needed. */
static void mark_live(split *s) {
    for (int k = 0; k < saros_body_outputs(s->source); ++k)
        s->live[saros_body_output(s->source, k).id] = true;
    for (int32_t id = saros_graph_count(s->from) - 1; id >= 0; --id) {
        if (!s->live[id] || target_index(s, id) >= 0) continue;
        saros_node node = saros_graph_node(s->from, id, NULL);
        for (int k = 0; k < node.operands; ++k) s->live[node.operand[k]] = true;
    }
}

static saros_status split_all(split *s) {
    saros_type scalar = saros_type_scalar(SAROS_F64);
    for (int k = 0; k < saros_body_inputs(s->source); ++k) {
        saros_value in = saros_body_input(s->source, k);
        s->rest[in.id] = saros_input(s->to, &scalar, saros_value_name(in));
    }
    for (int32_t id = 0; id < saros_graph_count(s->from); ++id) {
        int j = target_index(s, id);
        if (j >= 0) {
            s->rest[id] = SAROS_NONE;
            s->part[id * s->targets + j] = saros_scalar(s->to, SAROS_F64, 1);
        } else if (s->live[id] && saros_body_input_index(s->source, id) < 0) {
            saros_status status = split_node(s, id);
            if (status != SAROS_OK) return status;
        }
    }
    return SAROS_OK;
}

static saros_status close_split(split *s, saros_affine *out) {
    int rows = saros_body_outputs(s->source);
    saros_value *value = saros_allocate((size_t)(rows * (1 + s->targets)) * sizeof *value);
    bool *uses = saros_allocate_zero((size_t)(rows * s->targets), sizeof *uses);
    saros_status status = value && uses ? SAROS_OK : SAROS_ERR_MEMORY;
    for (int k = 0; status == SAROS_OK && k < rows; ++k) {
        int32_t id = saros_body_output(s->source, k).id;
        value[k] = s->rest[id];
        for (int j = 0; j < s->targets; ++j) {
            value[rows + k * s->targets + j] = s->part[id * s->targets + j];
            uses[k * s->targets + j] = !saros_is_none(s->part[id * s->targets + j]);
        }
    }
    for (int k = 0; status == SAROS_OK && k < rows * (1 + s->targets); ++k)
        if (saros_is_none(value[k])) value[k] = saros_scalar(s->to, SAROS_F64, 0);
    if (status == SAROS_OK) {
        saros_graph *closing = s->to;
        s->to = NULL;
        status = saros_body_close(closing, rows * (1 + s->targets), value, &out->body, NULL);
    }
    saros_release(value);
    if (status == SAROS_OK)
        out->depends = uses;
    else
        saros_release(uses);
    return status;
}

saros_status saros_affine_split(const saros_body *source, int targets, const int32_t *target,
                                saros_affine *out) {
    saros_status status = SAROS_OK;
    split s = {.source = source, .targets = targets, .target = target};
    s.from = saros_body_graph(source);
    size_t count = (size_t)saros_graph_count(s.from);
    saros_graph *outer = NULL;
    s.live = saros_allocate_zero(count, sizeof *s.live);
    s.rest = saros_allocate(count * sizeof *s.rest);
    s.part = saros_allocate(count * (size_t)targets * sizeof *s.part);
    if (!s.live || !s.rest || !s.part) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    for (size_t k = 0; k < count; ++k) s.rest[k] = SAROS_NONE;
    for (size_t k = 0; k < count * (size_t)targets; ++k) s.part[k] = SAROS_NONE;
    SAROS_TRY(saros_graph_make(&outer));
    s.to = saros_body_open(outer);
    if (!s.to) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    mark_live(&s);
    SAROS_TRY(split_all(&s));
    SAROS_TRY(close_split(&s, out));
done:
    saros_graph_release(s.to);
    saros_graph_release(outer);
    saros_release(s.live);
    saros_release(s.rest);
    saros_release(s.part);
    return status;
}

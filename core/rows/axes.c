/** Where the axes of core's rows go, on one screen: for passes that cut values into blocks of rows.
 *
 *  An axis that a row works along (a shift, a sum of prefixes, a transform) is needed whole; the
 * axes beside it stay. Rows that are not here and are not pointwise need all of their operands.
 */
#include "rows/axes_impl.h"

#include <string.h>

#include "primitives/build_impl.h"
#include "primitives/dot_impl.h"

int saros_axis_to(const saros_typing *t, int operand, int axis) {
    if (t->row->axes && t->row->axes->to) return t->row->axes->to(t, operand, axis);
    return t->row->flags & SAROS_POINTWISE ? axis : SAROS_AXIS_WHOLE;
}

bool saros_axis_made(const saros_typing *t, int axis) {
    return t->row->axes && t->row->axes->made && t->row->axes->made(t, axis);
}

saros_value saros_axis_cut(const saros_rule *rule, int axis, int64_t extent, saros_value first) {
    if (rule->row->axes && rule->row->axes->cut)
        return rule->row->axes->cut(rule, axis, extent, first);
    return saros_build(rule->graph, rule->row, &rule->attributes, rule->ins, rule->in);
}

/** The row's node with attribute word `k` replaced. */
static saros_value with_word(const saros_rule *rule, int k, int64_t value) {
    int64_t word[2 * SAROS_MAX_RANK + 4];
    saros_attributes attributes = rule->attributes;
    memcpy(word, attributes.word, (size_t)attributes.words * sizeof *word);
    word[k] = value;
    attributes.word = word;
    return saros_build(rule->graph, rule->row, &attributes, rule->ins, rule->in);
}

/* ---- the same elements in another shape ---- */

/** The same extent after the same number of elements. */
static int reshape_to(const saros_typing *t, int operand, int axis) {
    const saros_type *in = &t->operand[operand], *out = &t->output[0];
    int64_t before = 1, seen = 1;
    if (saros_type_count(in) == 0 || in->shape[axis] < 2) return SAROS_AXIS_WHOLE;
    for (int a = 0; a < axis; ++a) before *= in->shape[a];
    for (int b = 0; b < out->rank && seen <= before; ++b) {
        if (seen == before && out->shape[b] == in->shape[axis]) return b;
        seen *= out->shape[b];
    }
    return SAROS_AXIS_WHOLE;
}
static saros_value reshape_cut(const saros_rule *rule, int axis, int64_t extent,
                               saros_value first) {
    (void)first;
    return with_word(rule, axis, extent);
}
const saros_axes saros_axes_reshape = {.to = reshape_to, .cut = reshape_cut};

static int permute_to(const saros_typing *t, int operand, int axis) {
    int b = 0;
    (void)operand;
    while (t->attributes->word[b] != axis) ++b;
    return b;
}
const saros_axes saros_axes_permute = {.to = permute_to};

/** A matrix with axis word[0] first. */
static int pack_to(const saros_typing *t, int operand, int axis) {
    (void)operand;
    return axis == t->attributes->word[0] ? 0 : 1;
}
const saros_axes saros_axes_pack = {.to = pack_to};

static int broadcast_to(const saros_typing *t, int operand, int axis) {
    const int b = (int)t->attributes->word[1 + t->output[0].rank + axis];
    return t->operand[operand].shape[axis] == t->output[0].shape[b] ? b : SAROS_AXIS_WHOLE;
}
static bool broadcast_made(const saros_typing *t, int axis) {
    for (int a = 0; a < t->operand[0].rank; ++a)
        if (broadcast_to(t, 0, a) == axis) return false;
    return true;
}
static saros_value broadcast_cut(const saros_rule *rule, int axis, int64_t extent,
                                 saros_value first) {
    (void)first;
    return with_word(rule, 1 + axis, extent);
}
const saros_axes saros_axes_broadcast = {
    .to = broadcast_to, .made = broadcast_made, .cut = broadcast_cut};

/* ---- from nothing ---- */

static bool iota_made(const saros_typing *t, int axis) {
    (void)t, (void)axis;
    return true;
}
/** Words: type, axis. Counts in integers, for f32 does not hold all of them. */
static saros_value iota_cut(const saros_rule *rule, int axis, int64_t extent, saros_value first) {
    const int64_t *word = rule->attributes.word;
    saros_type type;
    const int along = (int)word[saros_type_from_words(word, &type)];
    const saros_dtype dtype = type.dtype;
    type.shape[axis] = extent;
    if (along != axis) return saros_iota(rule->graph, &type, along);
    type.dtype = SAROS_I64;
    return saros_cast(saros_add(saros_iota(rule->graph, &type, along), first), dtype);
}
const saros_axes saros_axes_iota = {.made = iota_made, .cut = iota_cut};

static bool constant_made(const saros_typing *t, int axis) {
    (void)axis;
    return t->attributes->tensor == NULL; /* all elements are equal */
}
static saros_value constant_cut(const saros_rule *rule, int axis, int64_t extent,
                                saros_value first) {
    (void)first;
    return with_word(rule, 3 + axis, extent);
}
const saros_axes saros_axes_constant = {.made = constant_made, .cut = constant_cut};

/* ---- reductions ---- */

static int sum_to(const saros_typing *t, int operand, int axis) {
    const uint32_t axes = (uint32_t)t->attributes->word[0];
    int b = 0;
    (void)operand;
    if (axes >> axis & 1) return SAROS_AXIS_ENDED - axis;
    for (int a = 0; a < axis; ++a) b += !(axes >> a & 1);
    return b;
}
const saros_axes saros_axes_sum = {.to = sum_to};

/** Integers have no element that every maximum leaves alone. */
static int extreme_to(const saros_typing *t, int operand, int axis) {
    const int b = sum_to(t, operand, axis);
    return b <= SAROS_AXIS_ENDED && !saros_dtype_is_float(t->operand[0].dtype) ? SAROS_AXIS_WHOLE
                                                                               : b;
}
const saros_axes saros_axes_max = {.to = extreme_to, .join = saros_maximum};
const saros_axes saros_axes_min = {.to = extreme_to, .join = saros_minimum};

static int argmax_to(const saros_typing *t, int operand, int axis) {
    const int along = (int)t->attributes->word[0];
    (void)operand;
    return axis == along ? SAROS_AXIS_WHOLE : axis - (axis > along);
}
const saros_axes saros_axes_argmax = {.to = argmax_to};

/* ---- contraction ---- */

static int dot_to(const saros_typing *t, int operand, int axis) {
    const saros_dot_side side =
        saros_dot_read(t->attributes->word, operand, t->operand[operand].rank);
    const int before = operand == 0 ? side.batches : t->output[0].rank - side.frees;
    for (int k = 0; k < side.contracts; ++k)
        if (side.contract[k] == axis) return SAROS_AXIS_ENDED - k;
    for (int k = 0; k < side.batches; ++k)
        if (side.batch[k] == axis) return k;
    for (int k = 0; k < side.frees; ++k)
        if (side.free[k] == axis) return before + k;
    return SAROS_AXIS_WHOLE;
}
const saros_axes saros_axes_dot = {.to = dot_to};

/* ---- rows by index ---- */

static int gather_to(const saros_typing *t, int operand, int axis) {
    const int along = (int)t->attributes->word[0];
    if (operand == 1) return along + axis;
    if (axis == along) return SAROS_AXIS_WHOLE;
    return axis < along ? axis : axis - 1 + t->operand[1].rank;
}
const saros_axes saros_axes_gather = {.to = gather_to};

/** Every row of the update is added somewhere: the rows end in a sum. */
static int scatter_to(const saros_typing *t, int operand, int axis) {
    const int along = (int)t->attributes->word[0], n = t->operand[1].rank;
    if (operand == 1) return SAROS_AXIS_ENDED - axis;
    if (axis < along) return axis;
    return axis < along + n ? SAROS_AXIS_ENDED - (axis - along) : axis - n + 1;
}
const saros_axes saros_axes_scatter = {.to = scatter_to};

/* ---- along one axis ---- */

static int other_to(const saros_typing *t, int operand, int axis) {
    (void)operand;
    return axis == t->attributes->word[0] ? SAROS_AXIS_WHOLE : axis;
}
const saros_axes saros_axes_other = {.to = other_to};

static int last_to(const saros_typing *t, int operand, int axis) {
    return axis == t->operand[operand].rank - 1 ? SAROS_AXIS_WHOLE : axis;
}
const saros_axes saros_axes_last = {.to = last_to};

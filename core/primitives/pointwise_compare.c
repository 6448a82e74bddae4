/** eq, ne, lt, le (gt and ge are these with operands swapped), and, or, not: masks.
 *  Comparisons with NaN are false, but for ne. One kernel per dtype
 *  answers all four: both tests are made, and masks choose. Masks carry no tangent.
 */
#include "primitives/build_impl.h"
#include "primitives/pointwise_impl.h"

#define COMPARISON SAROS_POINTWISE | SAROS_CONSTANT

/* ---- eq, ne, lt, le ---- */

/** What a comparison asks for, as masks of all bits or none: whether a < b counts, whether a == b
 * does, and whether the answer is turned round. */
typedef struct question {
    uint8_t less, equal, turned;
} question;
static question question_of(const saros_primitive *row) {
    return (question){.less = row == &saros_row_lt || row == &saros_row_le,
                      .equal = row != &saros_row_lt,
                      .turned = row == &saros_row_ne};
}

SAROS_FAST static void compare_f64(const saros_run *run) {
    SAROS_BINARY(double, uint8_t);
    const question q = question_of(run->row);
    SAROS_EACH y[i] = (((a[i] < b[i]) & q.less) | ((a[i] == b[i]) & q.equal)) ^ q.turned;
}
SAROS_FAST static void compare_f32(const saros_run *run) {
    SAROS_BINARY(float, uint8_t);
    const question q = question_of(run->row);
    SAROS_EACH y[i] = (((a[i] < b[i]) & q.less) | ((a[i] == b[i]) & q.equal)) ^ q.turned;
}
SAROS_FAST static void compare_i64(const saros_run *run) {
    SAROS_BINARY(int64_t, uint8_t);
    const question q = question_of(run->row);
    SAROS_EACH y[i] = (((a[i] < b[i]) & q.less) | ((a[i] == b[i]) & q.equal)) ^ q.turned;
}
SAROS_FAST static void compare_i32(const saros_run *run) {
    SAROS_BINARY(int32_t, uint8_t);
    const question q = question_of(run->row);
    SAROS_EACH y[i] = (((a[i] < b[i]) & q.less) | ((a[i] == b[i]) & q.equal)) ^ q.turned;
}
SAROS_FAST static void compare_mask(const saros_run *run) {
    SAROS_BINARY(uint8_t, uint8_t);
    const question q = question_of(run->row);
    SAROS_EACH y[i] = (((a[i] < b[i]) & q.less) | ((a[i] == b[i]) & q.equal)) ^ q.turned;
}
static saros_status compare_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(
        e, &(saros_kernels){compare_f64, compare_f32, compare_i64, compare_i32, compare_mask});
}

const saros_primitive saros_row_eq = {
    .name = "eq",
    .doc = "mask a == b",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON | SAROS_COMMUTES,
    .type = saros_type_compare,
    .evaluate = compare_evaluate,
};
saros_value saros_eq(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_eq, SAROS_PROMOTE_ANY, a, b);
}

const saros_primitive saros_row_ne = {
    .name = "ne",
    .doc = "mask a != b",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON | SAROS_COMMUTES,
    .type = saros_type_compare,
    .evaluate = compare_evaluate,
};
saros_value saros_ne(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_ne, SAROS_PROMOTE_ANY, a, b);
}

const saros_primitive saros_row_lt = {
    .name = "lt",
    .doc = "mask a < b",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON,
    .type = saros_type_compare,
    .evaluate = compare_evaluate,
};
saros_value saros_lt(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_lt, SAROS_PROMOTE_ANY, a, b);
}
saros_value saros_gt(saros_value a, saros_value b) {
    return saros_lt(b, a);
}

const saros_primitive saros_row_le = {
    .name = "le",
    .doc = "mask a <= b",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON,
    .type = saros_type_compare,
    .evaluate = compare_evaluate,
};
saros_value saros_le(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_le, SAROS_PROMOTE_ANY, a, b);
}
saros_value saros_ge(saros_value a, saros_value b) {
    return saros_le(b, a);
}

/* ---- and, or, not ---- */
SAROS_FAST static void and_mask(const saros_run *run) {
    SAROS_BINARY(uint8_t, uint8_t);
    SAROS_EACH y[i] = a[i] & b[i];
}
static saros_status and_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.mask = and_mask});
}
const saros_primitive saros_row_and = {
    .name = "and",
    .doc = "mask: both",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON | SAROS_COMMUTES,
    .type = saros_type_mask,
    .evaluate = and_evaluate,
};
saros_value saros_and(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_and, SAROS_PROMOTE_NONE, a, b);
}

SAROS_FAST static void or_mask(const saros_run *run) {
    SAROS_BINARY(uint8_t, uint8_t);
    SAROS_EACH y[i] = a[i] | b[i];
}
static saros_status or_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.mask = or_mask});
}
const saros_primitive saros_row_or = {
    .name = "or",
    .doc = "mask: either",
    .operands = 2,
    .outputs = 1,
    .flags = COMPARISON | SAROS_COMMUTES,
    .type = saros_type_mask,
    .evaluate = or_evaluate,
};
saros_value saros_or(saros_value a, saros_value b) {
    return saros_binary_build(&saros_row_or, SAROS_PROMOTE_NONE, a, b);
}

SAROS_FAST static void not_mask(const saros_run *run) {
    SAROS_UNARY(uint8_t, uint8_t);
    SAROS_EACH y[i] = a[i] ^ 1;
}
static saros_status not_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.mask = not_mask});
}
const saros_primitive saros_row_not = {
    .name = "not",
    .doc = "mask: the opposite",
    .operands = 1,
    .outputs = 1,
    .flags = COMPARISON | SAROS_INVOLUTION,
    .type = saros_type_mask,
    .evaluate = not_evaluate,
};
saros_value saros_not(saros_value x) {
    return saros_unary_build(&saros_row_not, SAROS_PROMOTE_NONE, x);
}

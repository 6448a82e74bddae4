/** Rows on the bits of doubles (f64 <-> i64), made by expansions only (expand.c). */
#include <string.h>

#include "kernel/kernel_impl.h"
#include "primitives/pointwise_impl.h"

static saros_status to_i64(saros_typing *t) {
    t->output[0] = t->operand[0];
    t->output[0].dtype = SAROS_I64;
    return SAROS_OK;
}
static saros_status to_f64(saros_typing *t) {
    t->output[0] = t->operand[0];
    t->output[0].dtype = SAROS_F64;
    return SAROS_OK;
}
static void copy_bits(const saros_run *run) {
    memcpy(run->out, run->in[0], (size_t)run->n * sizeof(int64_t));
}
static void left(const saros_run *run) {
    SAROS_UNARY(int64_t, int64_t);
    const int64_t by = run->word[0];
    SAROS_EACH y[i] = (int64_t)((uint64_t)a[i] << by);
}
static void right(const saros_run *run) {
    SAROS_UNARY(int64_t, int64_t);
    const int64_t by = run->word[0];
    SAROS_EACH y[i] = a[i] >> by;
}
static void both(const saros_run *run) {
    SAROS_BINARY(int64_t, int64_t);
    SAROS_EACH y[i] = a[i] & b[i];
}
static void either(const saros_run *run) {
    SAROS_BINARY(int64_t, int64_t);
    SAROS_EACH y[i] = a[i] | b[i];
}
static saros_status bits_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.f64 = copy_bits, .i64 = copy_bits});
}
static saros_status left_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = left});
}
static saros_status right_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = right});
}
static saros_status and_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = both});
}
static saros_status or_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = either});
}

const saros_primitive saros_row_bits = {
    .name = "bits",
    .doc = "bits of a double",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_i64,
    .evaluate = bits_evaluate,
};
const saros_primitive saros_row_from_bits = {
    .name = "from_bits",
    .doc = "the double of bits",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_f64,
    .evaluate = bits_evaluate,
};
const saros_primitive saros_row_shift_left = {
    .name = "shift_left",
    .doc = "x << k",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_i64,
    .evaluate = left_evaluate,
};
const saros_primitive saros_row_shift_right = {
    .name = "shift_right",
    .doc = "x >> k, signed",
    .operands = 1,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_i64,
    .evaluate = right_evaluate,
};
const saros_primitive saros_row_bit_and = {
    .name = "bit_and",
    .doc = "a & b",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_i64,
    .evaluate = and_evaluate,
};
const saros_primitive saros_row_bit_or = {
    .name = "bit_or",
    .doc = "a | b",
    .operands = 2,
    .outputs = 1,
    .flags = SAROS_POINTWISE | SAROS_CONSTANT,
    .type = to_i64,
    .evaluate = or_evaluate,
};

/** Rows on the bits of numbers (f64 as i64, f32 as i32), made by expansions only (expand.c). */
#include <string.h>

#include "kernel/kernel_impl.h"
#include "primitives/pointwise_impl.h"

/** Floats to integers of their width and back. */
static saros_status retyped(saros_typing *t) {
    static const saros_dtype other[] = {[SAROS_F64] = SAROS_I64,
                                        [SAROS_F32] = SAROS_I32,
                                        [SAROS_I64] = SAROS_F64,
                                        [SAROS_I32] = SAROS_F32};
    t->output[0] = t->operand[0];
    if (t->operand[0].dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, t->row->name, NULL, "numbers are needed");
    t->output[0].dtype = other[t->operand[0].dtype];
    return SAROS_OK;
}
static void copy_8(const saros_run *run) {
    memcpy(run->out, run->in[0], (size_t)run->n * 8);
}
static void copy_4(const saros_run *run) {
    memcpy(run->out, run->in[0], (size_t)run->n * 4);
}
static void left_i64(const saros_run *run) {
    SAROS_UNARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] << run->word[0];
}
static void left_i32(const saros_run *run) {
    SAROS_UNARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] << run->word[0];
}
static void right_i64(const saros_run *run) {
    SAROS_UNARY(int64_t, int64_t);
    SAROS_EACH y[i] = a[i] >> run->word[0];
}
static void right_i32(const saros_run *run) {
    SAROS_UNARY(int32_t, int32_t);
    SAROS_EACH y[i] = a[i] >> run->word[0];
}
static void and_i64(const saros_run *run) {
    SAROS_BINARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] & b[i];
}
static void and_i32(const saros_run *run) {
    SAROS_BINARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] & b[i];
}
static void or_i64(const saros_run *run) {
    SAROS_BINARY(uint64_t, uint64_t);
    SAROS_EACH y[i] = a[i] | b[i];
}
static void or_i32(const saros_run *run) {
    SAROS_BINARY(uint32_t, uint32_t);
    SAROS_EACH y[i] = a[i] | b[i];
}
static saros_status bits_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){copy_8, copy_4, copy_8, copy_4, NULL});
}
static saros_status left_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = left_i64, .i32 = left_i32});
}
static saros_status right_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = right_i64, .i32 = right_i32});
}
static saros_status and_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = and_i64, .i32 = and_i32});
}
static saros_status or_evaluate(const saros_evaluation *e) {
    return saros_pointwise_run(e, &(saros_kernels){.i64 = or_i64, .i32 = or_i32});
}

const saros_primitive saros_row_bits =
    SAROS_EXPANSION_ROW("bits", "bits of a float as an integer", 1, retyped, bits_evaluate);
const saros_primitive saros_row_from_bits =
    SAROS_EXPANSION_ROW("from_bits", "the float of bits", 1, retyped, bits_evaluate);
const saros_primitive saros_row_shift_left =
    SAROS_EXPANSION_ROW("shift_left", "x << k", 1, saros_type_number, left_evaluate);
const saros_primitive saros_row_shift_right =
    SAROS_EXPANSION_ROW("shift_right", "x >> k, signed", 1, saros_type_number, right_evaluate);
const saros_primitive saros_row_bit_and =
    SAROS_EXPANSION_ROW("bit_and", "a & b", 2, saros_type_number, and_evaluate);
const saros_primitive saros_row_bit_or =
    SAROS_EXPANSION_ROW("bit_or", "a | b", 2, saros_type_number, or_evaluate);

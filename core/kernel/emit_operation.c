/** Scalar operations of a kernel, printed one to one as vector instructions of LLVM IR.
 *
 *  No fast-math flags, no contraction: + - * / sqrt fma agree bitwise with the reference.
 *  llvm.maximum cannot be selected by LLVM 14 and maxnum swallows NaN: maximum and minimum are
 *  compare and select. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "kernel/emit_impl.h"
#include "saros/rows.h"

/* ---- constants ---- */

static void put_number(saros_emitter *e, saros_dtype dtype, int64_t word) {
    if (dtype == SAROS_F64) {
        saros_put(e, "0x%016" PRIX64, (uint64_t)word);
    } else if (dtype == SAROS_F32) {
        union {
            double d;
            uint64_t u;
        } x = {.d = (double)(float)saros_from_bits(word)};
        saros_put(e, "0x%016" PRIX64, x.u); /* LLVM writes floats as the double of the same value */
    } else if (dtype == SAROS_BOOL) {
        saros_put(e, "%s", word ? "true" : "false");
    } else {
        saros_put(e, "%" PRId64, word);
    }
}

void saros_put_vector(saros_emitter *e, saros_dtype dtype, int64_t word) {
    saros_put(e, "<");
    for (int l = 0; l < e->lanes; ++l) {
        saros_put(e, "%s%s ", l ? ", " : "", saros_put_scalar(dtype));
        put_number(e, dtype, word);
    }
    saros_put(e, ">");
}

void saros_put_operand(saros_emitter *e, int o) {
    if (o >= e->k->ins && !e->k->operation[o - e->k->ins].row) {
        saros_put_vector(e, saros_fused_dtype(e->k, o), e->k->operation[o - e->k->ins].word);
    } else if (o < e->k->ins && (e->pattern.still >> o & 1)) {
        saros_put(e, "%%s%d", o);
    } else {
        saros_put(e, "%%%s%d", e->tag, o);
    }
}

/* ---- operations ---- */

typedef enum form {
    BINARY,
    COMPARE,
    CALL,
    SELECT,
    EXTREME,
    CAST,
    NEGATE,
    POWER,
    SHIFT,
    BITCAST,
    FAR
} form;

typedef struct template_ {
    const saros_primitive *row;
    form form;
    const char *floats, *integers, *masks; /* instruction per class; NULL: unknown */
} template_;

static const template_ templates[] = {
    {&saros_row_add, BINARY, "fadd", "add", NULL},
    {&saros_row_sub, BINARY, "fsub", "sub", NULL},
    {&saros_row_mul, BINARY, "fmul", "mul", NULL},
    {&saros_row_div, BINARY, "fdiv", NULL, NULL},
    {&saros_row_neg, NEGATE, "fneg", NULL, NULL},
    {&saros_row_fma, CALL, "fma", NULL, NULL},
    {&saros_row_sqrt, CALL, "sqrt", NULL, NULL},
    {&saros_row_abs, CALL, "fabs", NULL, NULL},
    {&saros_row_floor, CALL, "floor", NULL, NULL},
    {&saros_row_round, CALL, "rint", NULL, NULL},
    {&saros_row_maximum, EXTREME, "ogt", NULL, NULL},
    {&saros_row_minimum, EXTREME, "olt", NULL, NULL},
    {&saros_row_eq, COMPARE, "oeq", "eq", NULL},
    {&saros_row_ne, COMPARE, "une", "ne", NULL},
    {&saros_row_lt, COMPARE, "olt", "slt", NULL},
    {&saros_row_le, COMPARE, "ole", "sle", NULL},
    {&saros_row_and, BINARY, NULL, NULL, "and"},
    {&saros_row_or, BINARY, NULL, NULL, "or"},
    {&saros_row_not, NEGATE, NULL, NULL, "xor"},
    {&saros_row_where, SELECT, "select", "select", "select"},
    {&saros_row_power, POWER, "fmul", NULL, NULL},
    {&saros_row_cast, CAST, "cast", "cast", NULL},
    {&saros_row_bits, BITCAST, NULL, "bitcast", NULL},
    {&saros_row_from_bits, BITCAST, "bitcast", NULL, NULL},
    {&saros_row_shift_left, SHIFT, NULL, "shl", NULL},
    {&saros_row_shift_right, SHIFT, NULL, "ashr", NULL},
    {&saros_row_bit_and, BINARY, NULL, "and", NULL},
    {&saros_row_bit_or, BINARY, NULL, "or", NULL},
    {&saros_row_far_sin, FAR, "far", NULL, NULL},
    {&saros_row_far_cos, FAR, "far", NULL, NULL},
    {&saros_row_far_tan, FAR, "far", NULL, NULL},
};

static const template_ *find(const saros_primitive *row) {
    for (size_t k = 0; k < sizeof templates / sizeof *templates; ++k)
        if (templates[k].row == row) return &templates[k];
    return NULL;
}

static const char *instruction(const template_ *t, saros_dtype dtype) {
    if (saros_dtype_is_float(dtype)) return t->floats;
    return dtype == SAROS_BOOL ? t->masks : t->integers;
}

bool saros_kernel_can(const saros_primitive *row, saros_dtype operand, saros_dtype result) {
    const template_ *t = find(row);
    if (!t) return false;
    if (t->form == COMPARE) return instruction(t, operand) != NULL;
    if (t->form == CAST) return operand != result && saros_dtype_is_float(result);
    return instruction(t, result) != NULL;
}

/** `name = op <type> a, b` with a, b operand numbers. */
static void put_binary(saros_emitter *e, const char *op, saros_dtype dtype, int a, int b) {
    saros_put(e, "%s <%d x %s> ", op, e->lanes, saros_put_scalar(dtype));
    saros_put_operand(e, a);
    saros_put(e, ", ");
    saros_put_operand(e, b);
    saros_put(e, "\n");
}

/** Whether operand `o` is a number for sure. */
static bool is_number(const saros_emitter *e, int o) {
    if (o < e->k->ins || e->k->operation[o - e->k->ins].row) return false;
    return !isnan(saros_from_bits(e->k->operation[o - e->k->ins].word));
}

/** %<tag>u<o>: where operand `o` is NaN; once in a body. */
static void put_unordered(saros_emitter *e, int o, saros_dtype dtype) {
    if (e->unordered[o]) return;
    e->unordered[o] = true;
    saros_put(e, "  %%%su%d = ", e->tag, o);
    put_binary(e, "fcmp uno", dtype, o, o);
}

/** b if it is beyond a, else a: an instruction of its own on x86, which takes a if either is NaN;
 * then b where that is NaN. */
static void put_extreme(saros_emitter *e, int id, const saros_fused_operation *o, const char *op) {
    const char *type = saros_put_scalar(o->dtype);
    const int a = o->operand[0], b = o->operand[1];
    const bool number = is_number(e, b);
    char compare[16];
    snprintf(compare, sizeof compare, "fcmp %s", op);
    saros_put(e, "  %%%sa%d = ", e->tag, id);
    put_binary(e, compare, o->dtype, b, a);
    saros_put(e, "  %%%s%s%d = select <%d x i1> %%%sa%d, <%d x %s> ", e->tag, number ? "" : "b", id,
              e->lanes, e->tag, id, e->lanes, type);
    saros_put_operand(e, b);
    saros_put(e, ", <%d x %s> ", e->lanes, type);
    saros_put_operand(e, a);
    saros_put(e, "\n");
    if (number) return;
    put_unordered(e, b, o->dtype);
    saros_put(e, "  %%%s%d = select <%d x i1> %%%su%d, <%d x %s> ", e->tag, id, e->lanes, e->tag, b,
              e->lanes, type);
    saros_put_operand(e, b);
    saros_put(e, ", <%d x %s> %%%sb%d\n", e->lanes, type, e->tag, id);
}

/** x^n by the binary method from the lowest bit, as the reference does. */
static void put_power(saros_emitter *e, int id, const saros_fused_operation *o) {
    const char *type = saros_put_scalar(o->dtype);
    uint64_t n = o->word < 0 ? (uint64_t)0 - (uint64_t)o->word : (uint64_t)o->word;
    char square[32] = "", result[32] = "";
    int step = 0;
    saros_put(e, "  %%%sp%d_0 = fadd <%d x %s> ", e->tag, id, e->lanes, type);
    saros_put_operand(e, o->operand[0]);
    saros_put(e, ", ");
    saros_put_vector(e, o->dtype, saros_bits(-0.0)); /* x + -0 is x in bits */
    saros_put(e, "\n");
    snprintf(square, sizeof square, "%sp%d_0", e->tag, id);
    for (; n; n >>= 1) {
        if (n & 1 && !*result) {
            snprintf(result, sizeof result, "%s", square);
        } else if (n & 1) {
            saros_put(e, "  %%%sp%d_%d = fmul <%d x %s> %%%s, %%%s\n", e->tag, id, ++step, e->lanes,
                      type, result, square);
            snprintf(result, sizeof result, "%sp%d_%d", e->tag, id, step);
        }
        if (n == 1) break;
        saros_put(e, "  %%%sp%d_%d = fmul <%d x %s> %%%s, %%%s\n", e->tag, id, ++step, e->lanes,
                  type, square, square);
        snprintf(square, sizeof square, "%sp%d_%d", e->tag, id, step);
    }
    bool inverse = o->word < 0;
    saros_put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, inverse ? "fdiv" : "fadd", e->lanes, type);
    if (inverse) {
        saros_put_vector(e, o->dtype, saros_bits(1.0));
        saros_put(e, ", %%%s\n", result);
    } else {
        saros_put(e, "%%%s, ", result);
        saros_put_vector(e, o->dtype, saros_bits(-0.0));
        saros_put(e, "\n");
    }
}

static void put_cast(saros_emitter *e, int id, const saros_fused_operation *o) {
    saros_dtype from = saros_fused_dtype(e->k, o->operand[0]);
    const char *op = from == SAROS_F64 ? "fptrunc" : from == SAROS_F32 ? "fpext" : "sitofp";
    if (from == SAROS_BOOL) op = "uitofp";
    saros_put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, op, e->lanes, saros_put_scalar(from));
    saros_put_operand(e, o->operand[0]);
    saros_put(e, " to <%d x %s>\n", e->lanes, saros_put_scalar(o->dtype));
}

static void put_call(saros_emitter *e, int id, const saros_fused_operation *o, const char *name) {
    const char *type = saros_put_scalar(o->dtype);
    saros_put(e, "  %%%s%d = call <%d x %s> @llvm.%s.v%d%s(", e->tag, id, e->lanes, type, name,
              e->lanes, saros_put_suffix(o->dtype));
    for (int k = 0; k < o->operands; ++k) {
        saros_put(e, "%s<%d x %s> ", k ? ", " : "", e->lanes, type);
        saros_put_operand(e, o->operand[k]);
    }
    saros_put(e, ")\n");
}

void saros_put_operation(saros_emitter *e, int index) {
    const saros_fused_operation *o = &e->k->operation[index];
    if (!o->row) return; /* constants stand where they are used */
    const template_ *t = find(o->row);
    const int id = e->k->ins + index;
    const char *op = instruction(t, o->dtype), *type = saros_put_scalar(o->dtype);
    saros_dtype first = saros_fused_dtype(e->k, o->operand[0]);
    char compare[16];
    switch (t->form) {
    case BINARY:
        saros_put(e, "  %%%s%d = ", e->tag, id);
        put_binary(e, op, o->dtype, o->operand[0], o->operand[1]);
        break;
    case COMPARE:
        snprintf(compare, sizeof compare, "%s %s", saros_dtype_is_float(first) ? "fcmp" : "icmp",
                 instruction(t, first));
        saros_put(e, "  %%%s%d = ", e->tag, id);
        put_binary(e, compare, first, o->operand[0], o->operand[1]);
        break;
    case NEGATE:
        saros_put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, op, e->lanes, type);
        saros_put_operand(e, o->operand[0]);
        if (o->dtype == SAROS_BOOL) {
            saros_put(e, ", ");
            saros_put_vector(e, SAROS_BOOL, 1);
        }
        saros_put(e, "\n");
        break;
    case SELECT:
        saros_put(e, "  %%%s%d = select <%d x i1> ", e->tag, id, e->lanes);
        saros_put_operand(e, o->operand[0]);
        for (int k = 1; k < 3; ++k) {
            saros_put(e, ", <%d x %s> ", e->lanes, type);
            saros_put_operand(e, o->operand[k]);
        }
        saros_put(e, "\n");
        break;
    case CALL:
        put_call(e, id, o, op);
        break;
    case EXTREME:
        put_extreme(e, id, o, op);
        break;
    case POWER:
        put_power(e, id, o);
        break;
    case CAST:
        put_cast(e, id, o);
        break;
    case SHIFT:
        saros_put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, op, e->lanes, type);
        saros_put_operand(e, o->operand[0]);
        saros_put(e, ", ");
        saros_put_vector(e, o->dtype, o->word);
        saros_put(e, "\n");
        break;
    case BITCAST:
        saros_put(e, "  %%%s%d = bitcast <%d x %s> ", e->tag, id, e->lanes,
                  saros_put_scalar(first));
        saros_put_operand(e, o->operand[0]);
        saros_put(e, " to <%d x %s>\n", e->lanes, type);
        break;
    case FAR:
        saros_put_far(e, id, o);
        break;
    }
}

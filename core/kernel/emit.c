/** Kernel description -> LLVM IR text.
 *
 *  Explicit vectors, twice the machine's width so that two chains run side by side; a loop over
 * rows around a loop over full vectors and one masked tail. Operations are printed one to one: no
 *  fast-math flags, no contraction, so that + - * / sqrt fma agree bitwise with the reference.
 *  llvm.maximum cannot be selected by LLVM 14 and maxnum swallows NaN: maximum and minimum are
 *  compare and select.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

typedef struct text {
    char *data;
    size_t used, room;
    bool failed;
} text;

typedef struct emitter {
    const saros_fused *k;
    saros_kernel_pattern pattern;
    int lanes;
    text out;
    const char *tag; /* suffix of names: "m" main, "t" tail */
} emitter;

SAROS_PRINTF(2, 3) static void put(emitter *e, const char *format, ...) {
    text *t = &e->out;
    for (;;) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(t->data + t->used, t->room - t->used, format, args);
        va_end(args);
        if (n < 0) t->failed = true;
        if (t->failed) return;
        if ((size_t)n < t->room - t->used) {
            t->used += (size_t)n;
            return;
        }
        char *grown = saros_reallocate(t->data, 2 * t->room + (size_t)n);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->room = 2 * t->room + (size_t)n;
        t->data = grown;
    }
}

static const char *scalar_type(saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return "double";
    case SAROS_F32:
        return "float";
    case SAROS_I64:
        return "i64";
    case SAROS_I32:
        return "i32";
    default:
        return "i1";
    }
}
static const char *memory_type(saros_dtype dtype) {
    return dtype == SAROS_BOOL ? "i8" : scalar_type(dtype);
}
static const char *suffix(saros_dtype dtype) {
    return dtype == SAROS_F64 ? "f64" : "f32";
}

static saros_dtype dtype_of(const saros_fused *k, int operand) {
    return operand < k->ins ? k->in[operand] : k->operation[operand - k->ins].dtype;
}

/* ---- constants ---- */

static void put_number(emitter *e, saros_dtype dtype, int64_t word) {
    if (dtype == SAROS_F64) {
        put(e, "0x%016" PRIX64, (uint64_t)word);
    } else if (dtype == SAROS_F32) {
        union {
            double d;
            uint64_t u;
        } x = {.d = (double)(float)saros_from_bits(word)};
        put(e, "0x%016" PRIX64, x.u); /* LLVM writes floats as the double of the same value */
    } else if (dtype == SAROS_BOOL) {
        put(e, "%s", word ? "true" : "false");
    } else {
        put(e, "%" PRId64, word);
    }
}

static void put_vector(emitter *e, saros_dtype dtype, int64_t word) {
    put(e, "<");
    for (int l = 0; l < e->lanes; ++l) {
        put(e, "%s%s ", l ? ", " : "", scalar_type(dtype));
        put_number(e, dtype, word);
    }
    put(e, ">");
}

/** Operand `o` as it stands in an instruction. */
static void put_operand(emitter *e, int o) {
    if (o >= e->k->ins && !e->k->operation[o - e->k->ins].row) {
        put_vector(e, dtype_of(e->k, o), e->k->operation[o - e->k->ins].word);
    } else if (o < e->k->ins && (e->pattern.still >> o & 1)) {
        put(e, "%%s%d", o);
    } else {
        put(e, "%%%s%d", e->tag, o);
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
    BITCAST
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
    {&saros_row_maximum, EXTREME, "oge", NULL, NULL},
    {&saros_row_minimum, EXTREME, "ole", NULL, NULL},
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
static void put_binary(emitter *e, const char *op, saros_dtype dtype, int a, int b) {
    put(e, "%s <%d x %s> ", op, e->lanes, scalar_type(dtype));
    put_operand(e, a);
    put(e, ", ");
    put_operand(e, b);
    put(e, "\n");
}

static void put_extreme(emitter *e, int id, const saros_fused_operation *o, const char *op) {
    const char *type = scalar_type(o->dtype);
    char compare[16];
    snprintf(compare, sizeof compare, "fcmp %s", op);
    put(e, "  %%%sa%d = ", e->tag, id);
    put_binary(e, compare, o->dtype, o->operand[0], o->operand[1]);
    put(e, "  %%%sb%d = ", e->tag, id);
    put_binary(e, "fcmp uno", o->dtype, o->operand[0], o->operand[0]);
    put(e, "  %%%sc%d = or <%d x i1> %%%sa%d, %%%sb%d\n", e->tag, id, e->lanes, e->tag, id, e->tag,
        id);
    put(e, "  %%%s%d = select <%d x i1> %%%sc%d, <%d x %s> ", e->tag, id, e->lanes, e->tag, id,
        e->lanes, type);
    put_operand(e, o->operand[0]);
    put(e, ", <%d x %s> ", e->lanes, type);
    put_operand(e, o->operand[1]);
    put(e, "\n");
}

/** x^n by the binary method from the lowest bit, as the reference does. */
static void put_power(emitter *e, int id, const saros_fused_operation *o) {
    const char *type = scalar_type(o->dtype);
    uint64_t n = o->word < 0 ? (uint64_t)0 - (uint64_t)o->word : (uint64_t)o->word;
    char square[32] = "", result[32] = "";
    int step = 0;
    put(e, "  %%%sp%d_0 = fadd <%d x %s> ", e->tag, id, e->lanes, type);
    put_operand(e, o->operand[0]);
    put(e, ", ");
    put_vector(e, o->dtype, saros_bits(-0.0)); /* x + -0 is x in bits */
    put(e, "\n");
    snprintf(square, sizeof square, "%sp%d_0", e->tag, id);
    for (; n; n >>= 1) {
        if (n & 1 && !*result) {
            snprintf(result, sizeof result, "%s", square);
        } else if (n & 1) {
            put(e, "  %%%sp%d_%d = fmul <%d x %s> %%%s, %%%s\n", e->tag, id, ++step, e->lanes, type,
                result, square);
            snprintf(result, sizeof result, "%sp%d_%d", e->tag, id, step);
        }
        if (n == 1) break;
        put(e, "  %%%sp%d_%d = fmul <%d x %s> %%%s, %%%s\n", e->tag, id, ++step, e->lanes, type,
            square, square);
        snprintf(square, sizeof square, "%sp%d_%d", e->tag, id, step);
    }
    bool inverse = o->word < 0;
    put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, inverse ? "fdiv" : "fadd", e->lanes, type);
    if (inverse) {
        put_vector(e, o->dtype, saros_bits(1.0));
        put(e, ", %%%s\n", result);
    } else {
        put(e, "%%%s, ", result);
        put_vector(e, o->dtype, saros_bits(-0.0));
        put(e, "\n");
    }
}

static void put_cast(emitter *e, int id, const saros_fused_operation *o) {
    saros_dtype from = dtype_of(e->k, o->operand[0]);
    const char *op = from == SAROS_F64 ? "fptrunc" : from == SAROS_F32 ? "fpext" : "sitofp";
    if (from == SAROS_BOOL) op = "uitofp";
    put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, op, e->lanes, scalar_type(from));
    put_operand(e, o->operand[0]);
    put(e, " to <%d x %s>\n", e->lanes, scalar_type(o->dtype));
}

static void put_call(emitter *e, int id, const saros_fused_operation *o, const char *name) {
    const char *type = scalar_type(o->dtype);
    put(e, "  %%%s%d = call <%d x %s> @llvm.%s.v%d%s(", e->tag, id, e->lanes, type, name, e->lanes,
        suffix(o->dtype));
    for (int k = 0; k < o->operands; ++k) {
        put(e, "%s<%d x %s> ", k ? ", " : "", e->lanes, type);
        put_operand(e, o->operand[k]);
    }
    put(e, ")\n");
}

static void put_operation(emitter *e, int index) {
    const saros_fused_operation *o = &e->k->operation[index];
    if (!o->row) return; /* constants stand where they are used */
    const template_ *t = find(o->row);
    const int id = e->k->ins + index;
    const char *op = instruction(t, o->dtype), *type = scalar_type(o->dtype);
    saros_dtype first = dtype_of(e->k, o->operand[0]);
    char compare[16];
    switch (t->form) {
    case BINARY:
        put(e, "  %%%s%d = ", e->tag, id);
        put_binary(e, op, o->dtype, o->operand[0], o->operand[1]);
        break;
    case COMPARE:
        snprintf(compare, sizeof compare, "%s %s", saros_dtype_is_float(first) ? "fcmp" : "icmp",
                 instruction(t, first));
        put(e, "  %%%s%d = ", e->tag, id);
        put_binary(e, compare, first, o->operand[0], o->operand[1]);
        break;
    case NEGATE:
        put(e, "  %%%s%d = %s <%d x %s> ", e->tag, id, op, e->lanes, type);
        put_operand(e, o->operand[0]);
        if (o->dtype == SAROS_BOOL) {
            put(e, ", ");
            put_vector(e, SAROS_BOOL, 1);
        }
        put(e, "\n");
        break;
    case SELECT:
        put(e, "  %%%s%d = select <%d x i1> ", e->tag, id, e->lanes);
        put_operand(e, o->operand[0]);
        for (int k = 1; k < 3; ++k) {
            put(e, ", <%d x %s> ", e->lanes, type);
            put_operand(e, o->operand[k]);
        }
        put(e, "\n");
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
        put(e, "  %%%s%d = %s <%d x i64> ", e->tag, id, op, e->lanes);
        put_operand(e, o->operand[0]);
        put(e, ", ");
        put_vector(e, SAROS_I64, o->word);
        put(e, "\n");
        break;
    case BITCAST:
        put(e, "  %%%s%d = bitcast <%d x %s> ", e->tag, id, e->lanes, scalar_type(first));
        put_operand(e, o->operand[0]);
        put(e, " to <%d x %s>\n", e->lanes, type);
        break;
    }
}

/* ---- memory ---- */

static void put_load(emitter *e, int o, bool masked) {
    saros_dtype dtype = e->k->in[o];
    const char *type = memory_type(dtype), *name = dtype == SAROS_BOOL ? "raw" : "";
    int align = (int)saros_dtype_bytes(dtype);
    put(e, "  %%%sq%d = getelementptr %s, %s* %%r%d, i64 %%%si\n", e->tag, o, type, type, o,
        e->tag);
    put(e, "  %%%sv%d = bitcast %s* %%%sq%d to <%d x %s>*\n", e->tag, o, type, e->tag, o, e->lanes,
        type);
    if (masked)
        put(e,
            "  %%%s%s%d = call <%d x %s> @llvm.masked.load.v%d%s.p0v%d%s(<%d x %s>* %%%sv%d, i32 "
            "%d, "
            "<%d x i1> %%mask, <%d x %s> zeroinitializer)\n",
            e->tag, name, o, e->lanes, type, e->lanes,
            saros_dtype_is_float(dtype) ? suffix(dtype) : type, e->lanes,
            saros_dtype_is_float(dtype) ? suffix(dtype) : type, e->lanes, type, e->tag, o, align,
            e->lanes, e->lanes, type);
    else
        put(e, "  %%%s%s%d = load <%d x %s>, <%d x %s>* %%%sv%d, align %d\n", e->tag, name, o,
            e->lanes, type, e->lanes, type, e->tag, o, align);
    if (dtype == SAROS_BOOL)
        put(e, "  %%%s%d = icmp ne <%d x i8> %%%sraw%d, zeroinitializer\n", e->tag, o, e->lanes,
            e->tag, o);
}

static void put_store(emitter *e, int m, bool masked) {
    int o = e->k->out[m];
    saros_dtype dtype = dtype_of(e->k, o);
    const char *type = memory_type(dtype);
    const char *short_ = saros_dtype_is_float(dtype) ? suffix(dtype) : type;
    if (dtype == SAROS_BOOL) {
        put(e, "  %%%sz%d = zext <%d x i1> ", e->tag, m, e->lanes);
        put_operand(e, o);
        put(e, " to <%d x i8>\n", e->lanes);
    }
    put(e, "  %%%so%d = getelementptr %s, %s* %%w%d, i64 %%%si\n", e->tag, m, type, type, m,
        e->tag);
    put(e, "  %%%sov%d = bitcast %s* %%%so%d to <%d x %s>*\n", e->tag, m, type, e->tag, m, e->lanes,
        type);
    if (masked)
        put(e, "  call void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s> ", e->lanes, short_,
            e->lanes, short_, e->lanes, type);
    else
        put(e, "  store <%d x %s> ", e->lanes, type);
    if (dtype == SAROS_BOOL)
        put(e, "%%%sz%d", e->tag, m);
    else
        put_operand(e, o);
    put(e, ", <%d x %s>* %%%sov%d, ", e->lanes, type, e->tag, m);
    if (masked)
        put(e, "i32 %d, <%d x i1> %%mask)\n", (int)saros_dtype_bytes(dtype), e->lanes);
    else
        put(e, "align %d\n", (int)saros_dtype_bytes(dtype));
}

static void put_body(emitter *e, const char *tag, bool masked) {
    e->tag = tag;
    for (int o = 0; o < e->k->ins; ++o)
        if (!(e->pattern.still >> o & 1)) put_load(e, o, masked);
    for (int k = 0; k < e->k->operations; ++k) put_operation(e, k);
    for (int m = 0; m < e->k->outs; ++m) put_store(e, m, masked);
}

/* ---- the loop nest ---- */

/** Typed address of operand o of kind in/out in this row: %r0, %w0. */
static void put_row_address(emitter *e, const char *list, const char *result, int o,
                            saros_dtype dtype) {
    const char *type = memory_type(dtype);
    put(e, "  %%%s%d_a = getelementptr i8*, i8** %%%s, i64 %d\n", result, o, list, o);
    put(e, "  %%%s%d_b = load i8*, i8** %%%s%d_a\n", result, o, result, o);
    put(e, "  %%%s%d_c = getelementptr i64, i64* %%%s_stride, i64 %d\n", result, o, list, o);
    put(e, "  %%%s%d_d = load i64, i64* %%%s%d_c\n", result, o, result, o);
    put(e, "  %%%s%d_e = mul i64 %%%s%d_d, %%row\n", result, o, result, o);
    put(e, "  %%%s%d_f = getelementptr i8, i8* %%%s%d_b, i64 %%%s%d_e\n", result, o, result, o,
        result, o);
    put(e, "  %%%s%d = bitcast i8* %%%s%d_f to %s*\n", result, o, result, o, type);
}

static void put_still(emitter *e, int o) {
    saros_dtype dtype = e->k->in[o];
    const char *type = memory_type(dtype);
    put(e, "  %%s%d_a = load %s, %s* %%r%d\n", o, type, type, o);
    if (dtype == SAROS_BOOL) put(e, "  %%s%d_b = icmp ne i8 %%s%d_a, 0\n", o, o);
    const char *name = dtype == SAROS_BOOL ? "b" : "a";
    type = scalar_type(dtype);
    put(e, "  %%s%d_i = insertelement <%d x %s> undef, %s %%s%d_%s, i32 0\n", o, e->lanes, type,
        type, o, name);
    put(e,
        "  %%s%d = shufflevector <%d x %s> %%s%d_i, <%d x %s> undef, <%d x i32> zeroinitializer\n",
        o, e->lanes, type, o, e->lanes, type, e->lanes);
}

static void put_mask(emitter *e) {
    put(e, "  %%left = sub i64 %%n, %%ti\n");
    put(e, "  %%left_i = insertelement <%d x i64> undef, i64 %%left, i32 0\n", e->lanes);
    put(e,
        "  %%left_v = shufflevector <%d x i64> %%left_i, <%d x i64> undef, <%d x i32> "
        "zeroinitializer\n",
        e->lanes, e->lanes, e->lanes);
    put(e, "  %%mask = icmp slt <%d x i64> <", e->lanes);
    for (int l = 0; l < e->lanes; ++l) put(e, "%si64 %d", l ? ", " : "", l);
    put(e, ">, %%left_v\n");
}

static void put_function(emitter *e, const char *name) {
    put(e,
        "define void @%s(i64 %%m, i64 %%n, i8** %%in, i64* %%in_stride, i8** %%out, i64* "
        "%%out_stride) #0 {\n",
        name);
    put(e, "entry:\n  %%full = and i64 %%n, %d\n  br label %%rows\n", -e->lanes);
    put(e, "rows:\n  %%row = phi i64 [ 0, %%entry ], [ %%row_next, %%row_end ]\n");
    for (int o = 0; o < e->k->ins; ++o) put_row_address(e, "in", "r", o, e->k->in[o]);
    for (int m = 0; m < e->k->outs; ++m)
        put_row_address(e, "out", "w", m, dtype_of(e->k, e->k->out[m]));
    for (int o = 0; o < e->k->ins; ++o)
        if (e->pattern.still >> o & 1) put_still(e, o);
    put(e, "  %%any = icmp ne i64 %%full, 0\n  br i1 %%any, label %%main, label %%tail_test\n");
    put(e, "main:\n  %%mi = phi i64 [ 0, %%rows ], [ %%mi_next, %%main ]\n");
    put_body(e, "m", false);
    put(e, "  %%mi_next = add i64 %%mi, %d\n  %%more = icmp slt i64 %%mi_next, %%full\n", e->lanes);
    put(e, "  br i1 %%more, label %%main, label %%tail_test\n");
    put(e, "tail_test:\n  %%rest = icmp slt i64 %%full, %%n\n");
    put(e, "  br i1 %%rest, label %%tail, label %%row_end\ntail:\n  %%ti = add i64 %%full, 0\n");
    put_mask(e);
    put_body(e, "t", true);
    put(e, "  br label %%row_end\nrow_end:\n  %%row_next = add i64 %%row, 1\n");
    put(e, "  %%again = icmp slt i64 %%row_next, %%m\n");
    put(e, "  br i1 %%again, label %%rows, label %%done\ndone:\n  ret void\n}\n");
}

/** Declarations of all intrinsics for the vector types of the text; unused ones cost nothing. */
static void put_declarations(emitter *e) {
    static const struct {
        const char *name;
        int operands;
    } calls[] = {{"fma", 3}, {"sqrt", 1}, {"fabs", 1}, {"floor", 1}};
    static const saros_dtype dtypes[] = {SAROS_F64, SAROS_F32, SAROS_I64, SAROS_I32, SAROS_BOOL};
    for (int d = 0; d < 5; ++d) {
        const char *type = memory_type(dtypes[d]);
        const char *name = d < 2 ? suffix(dtypes[d]) : type;
        for (int c = 0; d < 2 && c < 4; ++c) {
            put(e, "declare <%d x %s> @llvm.%s.v%d%s(", e->lanes, type, calls[c].name, e->lanes,
                name);
            for (int k = 0; k < calls[c].operands; ++k)
                put(e, "%s<%d x %s>", k ? ", " : "", e->lanes, type);
            put(e, ")\n");
        }
        put(e,
            "declare <%d x %s> @llvm.masked.load.v%d%s.p0v%d%s(<%d x %s>*, i32, <%d x i1>, <%d x "
            "%s>)\n",
            e->lanes, type, e->lanes, name, e->lanes, name, e->lanes, type, e->lanes, e->lanes,
            type);
        put(e,
            "declare void @llvm.masked.store.v%d%s.p0v%d%s(<%d x %s>, <%d x %s>*, i32, <%d x "
            "i1>)\n",
            e->lanes, name, e->lanes, name, e->lanes, type, e->lanes, type, e->lanes);
    }
}

static int widest(const saros_fused *k) {
    size_t bytes = 4;
    for (int o = 0; o < k->ins + k->operations; ++o)
        if (saros_dtype_bytes(dtype_of(k, o)) > bytes) bytes = saros_dtype_bytes(dtype_of(k, o));
    return (int)bytes;
}

char *saros_kernel_emit(const saros_fused *kernel, saros_kernel_pattern pattern, int bits,
                        const char *name) {
    emitter e = {.k = kernel, .pattern = pattern};
    e.lanes = bits / 8 / widest(kernel);
    if (kernel->operations <= 24) e.lanes *= 2;
    e.out.room = 16384;
    e.out.data = saros_allocate(e.out.room);
    if (!e.out.data) return NULL;
    put_declarations(&e);
    put_function(&e, name);
    put(&e, "attributes #0 = { nounwind \"min-legal-vector-width\"=\"%d\" }\n", bits);
    if (!e.out.failed) return e.out.data;
    saros_release(e.out.data);
    return NULL;
}

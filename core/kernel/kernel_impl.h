/** Fused kernels: one loop nest over an index space: loads, scalar operations, stores, of which
 * some may be reduced over axes.
 *
 *  A description holds no vector width and no thread count; the code generator adds the width of
 * the machine. Kernels are cached by their generated text, so equal groups of one program and of
 * several share their code.
 */
#ifndef SAROS_KERNEL_IMPL_H
#define SAROS_KERNEL_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "nest_impl.h"
#include "saros/function.h"

enum {
    SAROS_KERNEL_FEW = 32,         /* elements below which a group is not worth code of its own */
    SAROS_KERNEL_FEW_LOOPED = 8,   /* the same in the body of a loop, which runs often */
    SAROS_KERNEL_SHORT = 1024,     /* elements up to which a kernel is not worth a plan */
    SAROS_KERNEL_OPERATIONS = 150, /* most operations of a group */
    SAROS_KERNEL_LOADS = SAROS_NEST_LOADS, /* most operands that are loaded */
    SAROS_KERNEL_PARTS = 96,               /* most operands of a kernel whose loads are in parts */
    SAROS_KERNEL_BOXES = 128,              /* most boxes into which these cut its index space */
    SAROS_KERNEL_STORES = SAROS_NEST_STORES - 1 /* most results that are stored; one is a taker's */
};

/** One scalar operation. Operands: loads 0 … ins-1, then operations in order. */
typedef struct saros_fused_operation {
    const saros_primitive *row; /**< NULL: the constant `word` */
    int operand[3];
    int operands;
    saros_dtype dtype;
    int64_t word; /**< first attribute word; constants: saros_word_from_element */
} saros_fused_operation;

typedef struct saros_fused {
    int ins, operations, outs;
    saros_dtype in[SAROS_KERNEL_LOADS];
    saros_fused_operation operation[3 * SAROS_KERNEL_OPERATIONS];
    int out[SAROS_KERNEL_STORES];                       /**< operand numbers stored */
    const saros_primitive *reduce[SAROS_KERNEL_STORES]; /**< sum, max or min of it is; NULL: all */
    uint32_t axes;                                      /**< over which it is reduced */
    bool often;     /**< it will run many times: the code is worth its time from the start */
    uint64_t taken; /**< bit m: store m is no result, a taker gets it */
} saros_fused;

/** The row that takes what a kernel makes (column `take` of primitive.h) and has its index space.
 */
typedef struct saros_kernel_taker {
    const saros_primitive *row;
    saros_tensor *attribute;
    saros_type type; /**< of its result */
    saros_nest_taker how;
} saros_kernel_taker;

/** A box of the index space in which a load is one operand of the node, that has its shape. */
typedef struct saros_kernel_part {
    int load;
    int64_t lo[SAROS_MAX_RANK], hi[SAROS_MAX_RANK];
} saros_kernel_part;

/** A box in which every load is one operand. */
typedef struct saros_kernel_box {
    int64_t lo[SAROS_MAX_RANK], hi[SAROS_MAX_RANK];
    int16_t operand[SAROS_KERNEL_LOADS];
} saros_kernel_box;

/** An index space cut into boxes (cover.c). */
typedef struct saros_cover {
    int parts, boxes;
    int main; /**< the largest box */
    saros_kernel_part *part;
    saros_kernel_box *box;
} saros_cover;

/** What the code is made for besides the kernel: bit k of `still`: load k is one element for a
 * whole row, all others are contiguous there; what becomes of reduced stores; whether stores bypass
 * the caches, for which rows must begin at multiples of 64 bytes. */
typedef struct saros_kernel_pattern {
    uint32_t still;
    saros_nest_mode mode;
    bool stream;
} saros_kernel_pattern;

/** Generated code. */
typedef saros_nest_code saros_kernel_code;

/** Whether the code generator knows the operation for these dtypes. */
bool saros_kernel_can(const saros_primitive *row, saros_dtype operand, saros_dtype result);
/** LLVM IR of the kernel named `name` into a text to release with saros_release; NULL with the
 * error recorded.
 *  @param bits vector width of the machine: 512, 256 or 128. */
char *saros_kernel_emit(const saros_fused *kernel, saros_kernel_pattern pattern, int bits,
                        const char *name);
/** Readable dump, one operation a line; `still`: bits of operands that are one element for a whole
 * row. Returns the length needed. */
size_t saros_kernel_dump(const saros_fused *kernel, uint32_t still, char *text, size_t bytes);
/** Operations without constants. */
int saros_kernel_operations(const saros_fused *kernel);
/** Floating operations of an evaluation (column `operations` of the row). */
int64_t saros_kernel_cost(const saros_evaluation *evaluation);
/** Appends the dump to the file that SAROS_DUMP=kernels:FILE names, if it does. */
saros_status saros_kernel_record(const saros_fused *kernel, uint32_t still);
/** The kernel that the attribute of a kernel node holds. */
const saros_fused *saros_kernel_of(const saros_tensor *attribute);

/** Text of `what` cut at `bytes`; returns the length needed. */
typedef size_t saros_dump_text(const void *what, char *text, size_t bytes);
/** Appends the text to the file that SAROS_DUMP=kernels:FILE names, if it does. */
saros_status saros_dump_kernels(saros_dump_text *dump, const void *what);

/** How long the code generator may take. */
typedef enum saros_jit_level { SAROS_JIT_QUICK, SAROS_JIT_THOROUGH } saros_jit_level;
/** Machine code of IR text; cached by text and level. The name in the text is "kernel". */
saros_status saros_jit_compile(const char *text, saros_jit_level level, saros_kernel_code **out);
/** Widest vectors of this machine that the code generator uses (SAROS_MAX_ISA lowers it); 0: no
 * code can be made here. */
int saros_jit_bits(void);

/** The code of a kernel for one pattern. */
typedef struct saros_kernel_variant {
    saros_kernel_pattern pattern;
    _Atomic int64_t work; /**< nanoseconds, of the calls while the code was quick */
    saros_kernel_code *_Atomic code;
} saros_kernel_variant;

enum { SAROS_KERNEL_VARIANTS = 8 };
typedef struct saros_kernel_codes {
    pthread_mutex_t lock;
    int variants;
    saros_kernel_variant variant[SAROS_KERNEL_VARIANTS];
} saros_kernel_codes;

/** `codes` holds zeros. */
void saros_kernel_codes_open(saros_kernel_codes *codes);
void saros_kernel_codes_close(saros_kernel_codes *codes);
/** The code of the kernel for a call that takes about so many nanoseconds; any number of threads at
 * once. */
saros_status saros_kernel_codes_find(saros_kernel_codes *codes, const saros_fused *kernel,
                                     saros_kernel_pattern pattern, double nanoseconds,
                                     saros_kernel_code **out);

/** The row of a fused group: attribute tensor holds the kernel; words: shape, dtypes of the
 * outputs. */
extern const saros_primitive saros_row_kernel;
/** Appends a kernel node. Operands all have shape of `type` (dtype ignored); with a `cover` (taken
 * over, may be NULL) they are its parts. Results: stores that are not taken, then that of the
 * `taker` (may be NULL). */
void saros_kernel_build(saros_graph *graph, const saros_fused *kernel, saros_cover *cover,
                        const saros_kernel_taker *taker, const saros_type *type,
                        const saros_value *in, saros_value *out);
/** Whether result m of a kernel node may be written over an operand of its dtype and layout. */
bool saros_kernel_in_place(const saros_tensor *attribute, int m);
/** The cover of loads in parts, to release with saros_release; NULL if there are too many boxes for
 * so few elements. */
saros_status saros_cover_make(int parts, const saros_kernel_part *part, const saros_type *type,
                              saros_cover **out);
/** The cover that the attribute of a kernel node holds, or NULL. */
const saros_cover *saros_kernel_cover(const saros_tensor *attribute);

/** Rows that the code generator does not know (elementary functions, sign, relu…) in rows that it
 * knows. SAROS_NONE: the row stays as it is. */
saros_value saros_kernel_expand(const saros_primitive *row, const saros_value *in);
/** The same in the body of a loop. */
saros_value saros_kernel_expand_looped(const saros_primitive *row, const saros_value *in);

/** The body with groups of pointwise nodes replaced by kernels; outputs in the same order. Of a
 * loop's body, inputs 1 … carries are its carries.
 *  @param often whether each call of the body is one of many: a block of rows. */
saros_status saros_kernel_fuse(const saros_body *body, int carries, bool often, saros_body **out);

/** A row that only expansions make: pointwise, without derivative. */
#define SAROS_EXPANSION_ROW(name_, doc_, operands_, type_, evaluate_)                              \
    {                                                                                              \
        .name = name_, .doc = doc_, .operands = operands_, .outputs = 1,                           \
        .flags = SAROS_POINTWISE | SAROS_CONSTANT, .type = type_, .evaluate = evaluate_            \
    }

/* Rows on the bits of numbers (f64 as i64, f32 as i32), made by expansions only. */
extern const saros_primitive saros_row_bits, saros_row_from_bits, saros_row_shift_left,
    saros_row_shift_right, saros_row_bit_and, saros_row_bit_or;

/* Rows of large arguments (far.c): operands x and the value that holds where |x| is at most this.
 */
#define SAROS_FAR_F64 0x1p30
#define SAROS_FAR_F32 0x1p15F
extern const saros_primitive saros_row_far_sin, saros_row_far_cos, saros_row_far_tan;
/** Replaces the elements of `y` for which `x` is far; kernels call it as saros_NAME. */
typedef struct saros_far_function {
    const saros_primitive *row;
    saros_dtype dtype;
    const char *name;
    void (*replace)(int64_t n, const void *x, void *y);
} saros_far_function;
enum { SAROS_FAR_FUNCTIONS = 6 };
extern const saros_far_function saros_far_functions[SAROS_FAR_FUNCTIONS];

#endif

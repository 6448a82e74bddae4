/** Every operation the code generator says it knows can be selected for every instruction set it
 * may be asked for, those of other machines too. LLVM ends the process on an instruction it cannot
 *  select, so each row is compiled in a child.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saros/config.h"
#include "saros_check.h"

#if SAROS_HAVE_LLVM
#include <llvm-c/Core.h>

#include "kernel/kernel_impl.h"
#include "kernel/llvm/llvm_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

static const struct {
    const char *triple, *cpu;
    int bits;
} machines[] = {{"x86_64-pc-linux-gnu", "x86-64-v3", 256},
                {"x86_64-pc-linux-gnu", "x86-64-v4", 512},
                {"aarch64-linux-gnu", "generic", 128}};

static const saros_primitive *const inside[] = {
    &saros_row_bits,        &saros_row_from_bits, &saros_row_shift_left,
    &saros_row_shift_right, &saros_row_bit_and,   &saros_row_bit_or,
    &saros_row_far_sin,     &saros_row_far_cos,   &saros_row_far_tan};
enum { INSIDE = sizeof inside / sizeof *inside };

/** The kernel of one operation on operands of `dtype` (a mask first if the row is `where`), `word`
 * its attribute; false if there is none. */
static bool kernel_of(const saros_primitive *row, saros_dtype dtype, int64_t word, saros_fused *k) {
    saros_type in[3], out[1];
    const int64_t n = 1000;
    memset(k, 0, sizeof *k);
    if (!(row->flags & SAROS_POINTWISE) || row->operands < 1 || row->operands > 3) return false;
    if (row == &saros_row_power && word == 0) return false; /* is never built */
    for (int o = 0; o < row->operands; ++o) {
        k->in[o] = row == &saros_row_where && o == 0 ? SAROS_BOOL : dtype;
        in[o] = saros_type_make(k->in[o], 1, &n);
    }
    saros_attributes attributes = {.word = &word, .words = 1};
    saros_typing typing = {row, &attributes, row->operands, in, 1, out};
    if (row->type(&typing) != SAROS_OK) return false;
    saros_dtype first = row == &saros_row_where ? dtype : k->in[0];
    if (!saros_kernel_can(row, first, out[0].dtype)) return false;
    k->ins = row->operands;
    k->operations = k->outs = 1;
    k->operation[0] = (saros_fused_operation){
        .row = row, .operands = row->operands, .dtype = out[0].dtype, .word = word};
    for (int o = 0; o < row->operands; ++o) k->operation[0].operand[o] = o;
    k->out[0] = row->operands;
    return true;
}

/** Compiles the row for all dtypes; the number of kernels, or -1. */
static int compile_all(const saros_primitive *row, const saros_llvm_target *target,
                       saros_jit_level level, int bits) {
    int made = 0;
    static saros_fused k;
    LLVMTargetMachineRef machine = saros_llvm_machine(target, level);
    for (int d = SAROS_F64; d <= SAROS_BOOL; ++d) {
        const bool varies = row == &saros_row_cast || row == &saros_row_power;
        for (int64_t word = 0; word < (varies ? 4 : 1); ++word) { /* dtype of a cast, exponent */
            LLVMMemoryBufferRef object = NULL;
            if (!kernel_of(row, (saros_dtype)d, word, &k)) continue;
            char *text = saros_kernel_emit(&k, (saros_kernel_pattern){0}, bits, "kernel");
            if (!text || saros_llvm_object(target, machine, text, "compiled", &object) != SAROS_OK)
                return -1;
            LLVMDisposeMemoryBuffer(object);
            saros_release(text);
            ++made;
        }
    }
    LLVMDisposeTargetMachine(machine);
    return made;
}

/** Exit status of a child that compiles the row: 0 compiled, 2 nothing to do, else it failed. */
static int status_of(const saros_primitive *row, const saros_llvm_target *target, int bits) {
    int status = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int quick = compile_all(row, target, SAROS_JIT_QUICK, bits);
        int made = compile_all(row, target, SAROS_JIT_THOROUGH, bits);
        _exit(quick < 0 || made < 0 ? 1 : made == 0 ? 2 : 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

START_TEST(every_operation_can_be_selected_for_every_instruction_set) {
    int count, made = 0;
    const saros_primitive *const *rows = saros_core_primitives(&count);
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    LLVMInitializeAllAsmPrinters();
    for (size_t m = 0; m < sizeof machines / sizeof *machines; ++m) {
        char *message = NULL;
        saros_llvm_target target = {
            .triple = machines[m].triple, .cpu = machines[m].cpu, .features = ""};
        if (LLVMGetTargetFromTriple(target.triple, &target.target, &message)) {
            LLVMDisposeMessage(message); /* this LLVM was built without it */
            continue;
        }
        for (int k = 0; k < count + INSIDE; ++k) {
            const saros_primitive *row = k < count ? rows[k] : inside[k - count];
            int status = status_of(row, &target, machines[m].bits);
            ck_assert_msg(status == 0 || status == 2, "%s for %s %s: %d", row->name, target.triple,
                          target.cpu, status);
            made += status == 0;
        }
    }
    ck_assert_int_ge(made, 30);
}
END_TEST

SAROS_TEST_MAIN("core/isa", every_operation_can_be_selected_for_every_instruction_set)
#else
int main(void) {
    printf("no code generator here\n");
    return EXIT_SUCCESS;
}
#endif

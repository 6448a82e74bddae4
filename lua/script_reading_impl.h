/** Between reading the arguments of an operation and applying it. */
#ifndef SAROS_SCRIPT_READING_IMPL_H
#define SAROS_SCRIPT_READING_IMPL_H

#include "script_op_impl.h"

/** One operand while arguments are read. */
typedef struct script_operand {
    bool given, number;
    double number_value;
    script_value *value; /**< NULL for a number */
    saros_dtype dtype;   /**< to use for a number or a weak value */
} script_operand;

/** The arguments of one use of an operation. */
typedef struct script_reading {
    lua_State *L;
    script_op_call call;
    script_operand *operand;
    int operands;
    bool traced, numbers; /**< some operand traced; all operands plain numbers or weak */
} script_reading;

/** Appends the operation with casts where the row wants floating point. */
int script_op_build(script_op_call *call, saros_value *out);
/** Raises where an index that is known lies outside its axis. */
void script_op_check_index(const script_reading *r);
/** Runs the operation on tensors and numbers; pushes its results and returns their number. */
int script_op_eager(script_reading *r);

#endif

/** The marker d(expression, axis): a node of the physics graph that says "the derivative of this
 * along that axis". Methods replace it (the grid by differences, networks by Taylor-mode
 * differentiation); it has no value of its own, so it never reaches a program. Word 0: axis. */
#include "saros/primitive.h"
#include "saros/problem.h"

static saros_status same_type(saros_typing *typing) {
    if (!saros_dtype_is_float(typing->operand[0].dtype) || typing->operand[0].rank != 0)
        return saros_fail(SAROS_ERR_TYPE, "derivative", "differentiate a float value of one point",
                          "only float values of rank 0 have derivatives along an axis");
    typing->output[0] = typing->operand[0];
    return SAROS_OK;
}

static saros_status no_value(const saros_evaluation *evaluation) {
    static const char axis[] = "xyzt";
    int64_t k = evaluation->attributes->words ? evaluation->attributes->word[0] : 0;
    return saros_fail(SAROS_ERR_UNSUPPORTED, "derivative",
                      "use it in an equation, a condition, an observable or evaluate",
                      "a derivative along axis %c has a value only inside a method",
                      axis[k >= 0 && k <= SAROS_TIME_AXIS ? k : 0]);
}

const saros_primitive saros_row_derivative = {
    .name = "derivative",
    .doc = "derivative along an axis, to be lowered by a method",
    .operands = 1,
    .outputs = 1,
    .type = same_type,
    .evaluate = no_value,
    .linear_in = {1},
};

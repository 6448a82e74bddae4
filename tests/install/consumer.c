/* Differentiates x^3 + sin(x) through an installed library: at x = 2 the value is 8 + sin 2, the
 * gradient 12 + cos 2.
 */
#include <math.h>
#include <saros/saros.h>
#include <stdio.h>

int main(void) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    saros_tensor *at = NULL, *out[2] = {NULL, NULL};
    double value, gradient;
    const saros_type type = saros_type_scalar(SAROS_F64);
    SAROS_TRY(saros_graph_make(&graph));
    saros_value x = saros_input(graph, &type, "x"), y[2];
    y[0] = saros_add(saros_power(x, 3), saros_sin(x));
    saros_vjp(1, &y[0], NULL, 1, &x, &y[1]);
    SAROS_TRY(saros_compile(graph, 1, &x, 2, y, NULL, &function));
    SAROS_TRY(saros_tensor_scalar(SAROS_F64, 2, &at));
    SAROS_TRY(saros_function_call(function, &at, out, NULL));
    SAROS_TRY(saros_tensor_item(out[0], &value));
    SAROS_TRY(saros_tensor_item(out[1], &gradient));
    if (fabs(value - (8 + sin(2.0))) > 1e-14 || fabs(gradient - (12 + cos(2.0))) > 1e-14) {
        fprintf(stderr, "got %.17g and %.17g\n", value, gradient);
        status = SAROS_ERR_INTERNAL;
    }
done:
    if (status != SAROS_OK) fprintf(stderr, "%s\n", saros_error_last()->message);
    saros_tensor_release(out[0]);
    saros_tensor_release(out[1]);
    saros_tensor_release(at);
    saros_function_release(function);
    saros_graph_release(graph);
    return status != SAROS_OK;
}

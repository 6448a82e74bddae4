/** A multilayer perceptron: y = W_L a(… a(W_1 x + b_1) …) + b_L.
 *
 *  All weights are one flat vector, layer after layer, W (inputs of the layer, outputs of the
 * layer) by rows, then b: what is trained, saved and differentiated is one value, and apply cuts it
 * by slices, whose transposes put the gradient back together. Starts are Glorot normal (Glorot and
 * Bengio 2010): deviation sqrt(2 / (in + out)), biases zero.
 */
#include <math.h>
#include <string.h>

#include "network_impl.h"

static const struct {
    const char *name;
    saros_unary_fn *apply;
} activations[] = {
    {"tanh", saros_tanh},         {"sin", saros_sin},   {"sigmoid", saros_sigmoid},
    {"softplus", saros_softplus}, {"relu", saros_relu},
};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };
#define ACTIVATION_NAMES "tanh sin sigmoid softplus relu"

static const saros_option network_rows[] = {
    {"layers", SAROS_OPTION_INTEGER, offsetof(saros_network_options, layers), "4", 1, 1000, NULL,
     "", "hidden layers", NULL},
    {"width", SAROS_OPTION_INTEGER, offsetof(saros_network_options, width), "32", 1, 65536, NULL,
     "", "neurons of a hidden layer", NULL},
    {"activation", SAROS_OPTION_TEXT, offsetof(saros_network_options, activation), "tanh", 0, 0,
     ACTIVATION_NAMES, "", "function after each hidden layer", NULL},
    {"inputs", SAROS_OPTION_INTEGER, offsetof(saros_network_options, inputs), "", 1, 65536, NULL,
     "", "size of x; set by the network method", NULL},
    {"outputs", SAROS_OPTION_INTEGER, offsetof(saros_network_options, outputs), "", 1, 65536, NULL,
     "", "size of y; set by the network method", NULL},
};
const saros_option_table saros_network_table = {
    "network", sizeof(saros_network_options), network_rows,
    (int)(sizeof network_rows / sizeof *network_rows), -1};

saros_status saros_network_make(const saros_network_options *options, saros_network *out) {
    const char *name = options->activation ? options->activation : "tanh";
    const char *names[ACTIVATIONS];
    if (options->inputs < 1 || options->outputs < 1 || options->layers < 0 || options->width < 0)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_network", NULL,
                          "inputs, outputs, layers and width must be positive, got %lld, %lld, "
                          "%lld, %lld",
                          (long long)options->inputs, (long long)options->outputs,
                          (long long)options->layers, (long long)options->width);
    for (int k = 0; k < ACTIVATIONS; ++k) {
        names[k] = activations[k].name;
        if (strcmp(name, names[k])) continue;
        *out = (saros_network){.layers = options->layers ? options->layers : 4,
                               .width = options->width ? options->width : 32,
                               .inputs = options->inputs,
                               .outputs = options->outputs,
                               .activation = activations[k].apply,
                               .activation_name = names[k]};
        return SAROS_OK;
    }
    const char *near = saros_nearest_name(name, names, ACTIVATIONS);
    return saros_fail(SAROS_ERR_USAGE, "saros_network", "one of " ACTIVATION_NAMES,
                      "no activation is called \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                      near ? near : "", near ? "\"?" : "");
}

int64_t saros_network_layer(const saros_network *network, int64_t k, int64_t shape[2]) {
    const int64_t width = network->width;
    shape[0] = k == 0 ? network->inputs : width;
    shape[1] = k == network->layers ? network->outputs : width;
    return k == 0 ? 0 : (network->inputs + 1) * width + (k - 1) * (width + 1) * width;
}

int64_t saros_network_size(const saros_network *network) {
    int64_t shape[2];
    const int64_t last = saros_network_layer(network, network->layers, shape);
    return last + (shape[0] + 1) * shape[1];
}

/** n normal numbers from the seed: the library's own generator, so that they are the same
 * everywhere. */
static saros_status normal_numbers(int64_t seed, int64_t n, saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_graph *graph = NULL;
    saros_function *function = NULL;
    const saros_type type = saros_type_make(SAROS_F64, 1, &n);
    SAROS_TRY(saros_graph_make(&graph));
    const saros_value numbers = saros_random_normal(saros_random_key(graph, seed), &type);
    SAROS_TRY(saros_compile(graph, 0, NULL, 1, &numbers, NULL, &function));
    SAROS_TRY(saros_function_call(function, NULL, out, NULL));
done:
    saros_function_release(function);
    saros_graph_release(graph);
    return status;
}

saros_status saros_network_start(const saros_network *network, int64_t seed, saros_dtype dtype,
                                 saros_tensor **out) {
    saros_status status = SAROS_OK;
    saros_tensor *numbers = NULL;
    if (!saros_dtype_is_float(dtype))
        return saros_fail(SAROS_ERR_TYPE, "saros_network_start", "f64 or f32",
                          "weights cannot be %s", saros_dtype_name(dtype));
    SAROS_TRY(normal_numbers(seed, saros_network_size(network), &numbers));
    double *w = saros_tensor_data(numbers);
    for (int64_t k = 0; k <= network->layers; ++k) {
        int64_t shape[2];
        double *layer = w + saros_network_layer(network, k, shape);
        const int64_t count = shape[0] * shape[1];
        const double deviation = sqrt(2 / (double)(shape[0] + shape[1]));
        for (int64_t i = 0; i < count; ++i) layer[i] *= deviation;
        memset(layer + count, 0, (size_t)shape[1] * sizeof *layer);
    }
    SAROS_TRY(saros_tensor_cast(numbers, dtype, out));
done:
    saros_tensor_release(numbers);
    return status;
}

saros_value saros_network_apply(const saros_network *network, saros_value weights, saros_value x) {
    for (int64_t k = 0; k <= network->layers; ++k) {
        int64_t shape[2];
        const int64_t at = saros_network_layer(network, k, shape);
        const int64_t end = at + shape[0] * shape[1];
        const saros_value w = saros_reshape(saros_slice(weights, 0, at, end, 1), 2, shape);
        const saros_value b = saros_slice(weights, 0, end, end + shape[1], 1);
        x = saros_add(saros_matmul(x, w), b);
        if (k < network->layers) x = network->activation(x);
    }
    return x;
}

/** Weights in safetensors: layer.K.weight (in, out) and layer.K.bias (out), the architecture as
 * texts beside them, so that the file alone gives the network back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network_impl.h"
#include "saros/memory.h"
#include "saros/safetensors.h"

enum { NAME_ROOM = 40 };
static const char kind[] = "saros mlp";

static void layer_name(char *text, int64_t k, bool bias) {
    (void)snprintf(text, NAME_ROOM, "layer.%lld.%s", (long long)k, bias ? "bias" : "weight");
}

/** View of W or b of layer `k` in the flat vector. */
static saros_status layer_view(const saros_network *network, saros_tensor *weights, int64_t k,
                               bool bias, saros_tensor **out) {
    int64_t shape[2];
    const int64_t at = saros_network_layer(network, k, shape);
    if (!bias) return saros_tensor_view(weights, 2, shape, NULL, at, out);
    return saros_tensor_view(weights, 1, &shape[1], NULL, at + shape[0] * shape[1], out);
}

saros_status saros_network_save(const saros_network *network, saros_tensor *weights,
                                const char *path, bool overwrite) {
    saros_status status = SAROS_OK;
    const int64_t layers = network->layers + 1;
    char number[4][24], (*name)[NAME_ROOM] = NULL;
    saros_named_tensor *tensor = NULL;
    saros_tensor *flat = NULL;
    if (saros_tensor_count(weights) != saros_network_size(network))
        return saros_fail(
            SAROS_ERR_SHAPE, "saros_network_save", NULL, "%lld weights, the network has %lld",
            (long long)saros_tensor_count(weights), (long long)saros_network_size(network));
    tensor = saros_allocate_zero(2 * (size_t)layers, sizeof *tensor);
    name = saros_allocate(2 * (size_t)layers * sizeof *name);
    if (!tensor || !name) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(saros_tensor_contiguous(weights, &flat));
    for (int64_t k = 0; k < 2 * layers; ++k) {
        layer_name(name[k], k / 2, k % 2);
        tensor[k].name = name[k];
        SAROS_TRY(layer_view(network, flat, k / 2, k % 2, &tensor[k].tensor));
    }
    const int64_t size[4] = {network->inputs, network->outputs, network->layers, network->width};
    for (int k = 0; k < 4; ++k)
        (void)snprintf(number[k], sizeof number[k], "%lld", (long long)size[k]);
    const saros_text_entry text[] = {
        {"architecture", kind}, {"inputs", number[0]}, {"outputs", number[1]},
        {"layers", number[2]},  {"width", number[3]},  {"activation", network->activation_name}};
    SAROS_TRY(saros_safetensors_write(path, overwrite, (int)(2 * layers), tensor, 6, text));
done:
    if (tensor)
        for (int64_t k = 0; k < 2 * layers; ++k) saros_tensor_release(tensor[k].tensor);
    saros_tensor_release(flat);
    saros_release(tensor);
    saros_release(name);
    return status;
}

static saros_status read_number(const saros_safetensors *file, const char *path, const char *key,
                                int64_t *out) {
    const char *text = saros_safetensors_text(file, key);
    char *end = NULL;
    errno = 0;
    const long long value = text ? strtoll(text, &end, 10) : 0;
    if (!text || end == text || *end || errno || value < 1)
        return saros_fail(SAROS_ERR_IO, "saros_network_load", NULL,
                          "%s: the metadata says %s = \"%s\", wanted a positive number", path, key,
                          text ? text : "");
    *out = value;
    return SAROS_OK;
}

static saros_status read_architecture(const saros_safetensors *file, const char *path,
                                      saros_network *out) {
    saros_status status = SAROS_OK;
    saros_network_options options = {0};
    const char *found = saros_safetensors_text(file, "architecture");
    if (!found || strcmp(found, kind) != 0)
        return saros_fail(SAROS_ERR_IO, "saros_network_load",
                          "only files written by saros_network_save hold a network",
                          "%s: the architecture is \"%s\", wanted \"%s\"", path, found ? found : "",
                          kind);
    SAROS_TRY(read_number(file, path, "inputs", &options.inputs));
    SAROS_TRY(read_number(file, path, "outputs", &options.outputs));
    SAROS_TRY(read_number(file, path, "layers", &options.layers));
    SAROS_TRY(read_number(file, path, "width", &options.width));
    options.activation = saros_safetensors_text(file, "activation");
    if (2 * (options.layers + 1) != saros_safetensors_count(file))
        return saros_fail(SAROS_ERR_IO, "saros_network_load", NULL,
                          "%s: %lld hidden layers need %lld tensors, the file has %d", path,
                          (long long)options.layers, (long long)(2 * (options.layers + 1)),
                          saros_safetensors_count(file));
    SAROS_TRY(saros_network_make(&options, out));
done:
    return status;
}

/** Copies one tensor of the file into its place. */
static saros_status read_layer(const saros_safetensors *file, const char *path,
                               const saros_network *network, int64_t k, bool bias,
                               saros_tensor *weights) {
    saros_status status = SAROS_OK;
    saros_tensor *view = NULL;
    char name[NAME_ROOM];
    layer_name(name, k, bias);
    saros_tensor *tensor = saros_safetensors_find(file, name);
    if (!tensor)
        return saros_fail(SAROS_ERR_IO, "saros_network_load", NULL, "%s: no tensor %s", path, name);
    SAROS_TRY(layer_view(network, weights, k, bias, &view));
    SAROS_TRY(saros_tensor_assign(view, tensor));
done:
    saros_tensor_release(view);
    return status;
}

saros_status saros_network_load(const char *path, saros_network *network, saros_tensor **weights) {
    saros_status status = SAROS_OK;
    saros_safetensors *file = NULL;
    saros_tensor *flat = NULL;
    saros_network found;
    SAROS_TRY(saros_safetensors_open(path, &file));
    SAROS_TRY(read_architecture(file, path, &found));
    const int64_t size = saros_network_size(&found);
    const saros_dtype dtype = saros_tensor_dtype(saros_safetensors_tensor(file, 0));
    SAROS_TRY(saros_tensor_zeros(dtype, 1, &size, &flat));
    for (int64_t k = 0; k <= found.layers; ++k) {
        SAROS_TRY(read_layer(file, path, &found, k, false, flat));
        SAROS_TRY(read_layer(file, path, &found, k, true, flat));
    }
    *network = found;
    *weights = flat;
    flat = NULL;
done:
    saros_tensor_release(flat);
    saros_safetensors_close(file);
    return status;
}

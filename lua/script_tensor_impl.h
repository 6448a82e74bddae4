/** Between the files of tensors: elements and nested tables. */
#ifndef SAROS_SCRIPT_TENSOR_IMPL_H
#define SAROS_SCRIPT_TENSOR_IMPL_H

#include "script_impl.h"

/** Pushes an element as number, integer or boolean. */
void script_push_element(lua_State *L, const saros_tensor *tensor, const int64_t *index);
/** Pushes the part at index[0 … axis-1] as nested tables. */
void script_push_nested(lua_State *L, const saros_tensor *tensor, int axis, int64_t *index);

#endif

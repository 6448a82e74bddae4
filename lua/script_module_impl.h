/** What is exported: names, entries, help. */
#ifndef SAROS_SCRIPT_MODULE_IMPL_H
#define SAROS_SCRIPT_MODULE_IMPL_H

#include "script_impl.h"

enum { SCRIPT_NAMES = 512 };

/** saros.profile. */
int script_profile(lua_State *L);
/** Entry by name; NULL if there is none. */
const script_entry *script_entry_find(const char *name);
/** All exported names (operations, then entries) into `names`; returns how many. */
int script_names(const char **names, int room);
/** Names of the interface that later versions give meaning. */
bool script_name_is_reserved(const char *name);

#endif

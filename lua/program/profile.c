/** SAROS_PROFILE: 1 prints a table of where the time went when the program ends, FILE.json writes a
 * Chrome trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program_impl.h"
#include "saros/memory.h"
#include "saros/profile.h"

enum { SPANS = 1000000 };

static saros_profile *profile;

static const char *wish(void) {
    const char *text = getenv("SAROS_PROFILE");
    return text && *text && strcmp(text, "0") != 0 ? text : NULL;
}

int program_profile_start(void) {
    const char *text = wish();
    if (!text) return EXIT_DONE;
    const char *end = strrchr(text, '.');
    const bool trace = end && strcmp(end, ".json") == 0;
    if (!trace && strcmp(text, "1") != 0) {
        fprintf(stderr, "saros: SAROS_PROFILE is \"%s\", needed 1 or FILE.json\n", text);
        return EXIT_USAGE;
    }
    const saros_profile_options options = {.spans = trace ? SPANS : 0};
    if (saros_profile_start(&options, &profile) == SAROS_OK) return EXIT_DONE;
    return program_failed();
}

static void print_table(void) {
    const size_t bytes = saros_profile_text(profile, NULL, 0) + 1;
    char *text = saros_allocate(bytes);
    if (!text) {
        (void)program_failed();
        return;
    }
    saros_profile_text(profile, text, bytes);
    fputs(text, stderr);
    saros_release(text);
}

void program_profile_end(void) {
    const char *text = wish();
    if (!profile) return;
    if (saros_profile_stop(profile) != SAROS_OK)
        (void)program_failed();
    else if (strcmp(text, "1") == 0)
        print_table();
    else if (saros_profile_trace(profile, text) != SAROS_OK)
        (void)program_failed();
    saros_profile_release(profile);
    profile = NULL;
}

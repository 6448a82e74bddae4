/** Visibility and attribute macros of the public headers. */
#ifndef SAROS_EXPORT_H
#define SAROS_EXPORT_H

#if defined(__GNUC__)
#define SAROS_API __attribute__((visibility("default")))
#define SAROS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SAROS_API
#define SAROS_PRINTF(text, first)
#endif

#endif

#ifndef HEADRACE_HEADRACE_H
#define HEADRACE_HEADRACE_H
/*
 * Headrace for C, and for every language that can call C. libheadrace.so exports what is declared
 * here (and headrace_main, for the launcher); everything else in it is hidden and may change. There
 * are no public C++ headers yet: they will stand beside this one.
 *
 * Calls return a status and never throw. Texts are UTF-8; texts that go out as char** are the
 * caller's, to be given back with headrace_free. An engine may be used by one thread at a time, but
 * headrace_cancel may be called from any; several engines in one process do not know each other.
 */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HEADRACE_API __attribute__((visibility("default")))
#else
#define HEADRACE_API
#endif

/** What calls return: the exit codes of the command line. */
enum {
  HEADRACE_OK = 0,
  HEADRACE_FAILED = 1,   /**< a node, check or gate failed; or disk, memory, another system */
  HEADRACE_WRONG = 2,    /**< the project, the SQL or an argument is wrong */
  HEADRACE_INTERNAL = 3, /**< a fault of Headrace */
  HEADRACE_INTERRUPTED = 130
};

typedef struct headrace_engine headrace_engine;
struct ArrowArrayStream; /* of the Arrow C stream interface */

/** "0.1.0"; a constant. */
HEADRACE_API const char* headrace_version(void);

/**
 * Finds a project. `options` is NULL or a JSON object: {"directory": ".", "target": "prod",
 * "params": {"as_of": "2026-01-01"}, "threads": 2, "memory": "4GB"}. `*engine` is set also when the
 * call fails, so that the error can be read; close it in any case. NULL only without memory.
 */
HEADRACE_API int headrace_open(const char* options, headrace_engine** engine);
/** NULL is fine. Streams of headrace_query must be released before. */
HEADRACE_API void headrace_close(headrace_engine* engine);

/** The error of the last call that failed, as JSON with code, message, blame, place, hint …;
 *  "" when none did. Valid until the next call. */
HEADRACE_API const char* headrace_last_error(const headrace_engine* engine);

/** {"nodes": 12, "findings": [error, …], "not_checked": ["…"]}; HEADRACE_WRONG when there are
 *  errors among the findings. */
HEADRACE_API int headrace_lint(headrace_engine* engine, char** result);

/** [{"node", "kind", "action", "reason", "certain"}, …]. `request` as for headrace_run. */
HEADRACE_API int headrace_plan(headrace_engine* engine, const char* request, char** result);

/** Called with one JSON object for each event of a run, from any thread, one at a time. */
typedef void (*headrace_on_event)(const char* event, void* user);

/**
 * Runs. `request` is NULL or {"select": ["scores+"], "exclude": [], "full": false, "fail_fast":
 * false, "no_wait": false}. `result` (may be NULL): {"run", "status", "seconds", "nodes": [{"node",
 * "kind", "action", "reason", "rows", "seconds", "snapshot", "error"}]}. Nodes that fail are in the
 * result, not in headrace_last_error.
 */
HEADRACE_API int headrace_run(headrace_engine* engine, const char* request,
                              headrace_on_event on_event, void* user, char** result);

/** Rows of a SELECT over the current tables, in batches. `*stream` must be released by the
 *  caller. */
HEADRACE_API int headrace_query(headrace_engine* engine, const char* sql,
                                struct ArrowArrayStream* stream);

/** Stops what the engine is doing; what is finished stays. Not for signal handlers. */
HEADRACE_API void headrace_cancel(headrace_engine* engine);

/** Gives a text back; NULL is fine. */
HEADRACE_API void headrace_free(char* text);

#ifdef __cplusplus
}
#endif
#endif

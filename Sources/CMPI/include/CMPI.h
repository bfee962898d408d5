#ifndef CMPI_H
#define CMPI_H

#include <stddef.h>

// A narrow view of MPI: what ranks of a plan say to each other, begun without waiting and asked after.
// Handles of MPIs differ, so they do not appear here. Functions give 0, or MPI's error code.

enum fxmpi_element { FXMPI_BYTES, FXMPI_F32, FXMPI_F64, FXMPI_I8, FXMPI_I16, FXMPI_I32, FXMPI_I64, FXMPI_U8, FXMPI_U16, FXMPI_U32, FXMPI_U64 };
enum fxmpi_reduction { FXMPI_SUM, FXMPI_MAX, FXMPI_MIN, FXMPI_PROD };

enum { FXMPI_NO_THREADS = -2 };
typedef struct fxmpi_group fxmpi_group;
typedef struct fxmpi_request fxmpi_request;

// Whether this build has MPI; without it everything else gives an error.
int fxmpi_is_built(void);
// FXMPI_NO_THREADS for an MPI that does not allow calls from several threads.
int fxmpi_init(int* rank, int* size);
int fxmpi_finalize(void);
// Ends every rank of the job. Does not return.
void fxmpi_abort(int status);
// MPI's text for an error code.
void fxmpi_describe(int code, char* text, size_t capacity);

// The ranks of a group; every one of them calls this. Waits for them at most `seconds`: a negative result is a timeout.
int fxmpi_make_group(const int* ranks, int count, double seconds, fxmpi_group** group);

// Each begins an operation. `group` NULL is the world. Buffers live until the request is done.
int fxmpi_all_reduce(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group*, fxmpi_request**);
int fxmpi_all_gather(const void* in, void* out, size_t bytes, fxmpi_group*, fxmpi_request**);
int fxmpi_reduce_scatter(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group*, fxmpi_request**);
int fxmpi_all_to_all(const void* in, void* out, size_t bytes, fxmpi_group*, fxmpi_request**);
// `root` is a place in the group.
int fxmpi_broadcast(void* bytes, size_t count, int root, fxmpi_group*, fxmpi_request**);
int fxmpi_send(const void* bytes, size_t count, int peer, int tag, fxmpi_request**);
int fxmpi_receive(void* bytes, size_t count, int peer, int tag, fxmpi_request**);
int fxmpi_barrier(fxmpi_group*, fxmpi_request**);

// Lets MPI go on for at most `seconds`, until the request is done; then it is freed and `done` is 1.
int fxmpi_wait(fxmpi_request*, double seconds, int* done);

// What the rank waits for: written to standard error if the launcher ends the rank meanwhile.
void fxmpi_say_waiting(const char* text);

#endif

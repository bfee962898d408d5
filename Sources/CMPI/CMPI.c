// usleep, sigaction and clock_gettime are POSIX's, not C's.
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "CMPI.h"

#include <stdio.h>
#include <string.h>

#ifdef FX_HAVE_MPI

#include <limits.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct fxmpi_group { MPI_Comm comm; };
struct fxmpi_request { MPI_Request request; };

static char waiting[512];
static volatile sig_atomic_t is_waiting;

int fxmpi_is_built(void) { return 1; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// A launcher that lost one rank ends the others with this signal: each says what it was doing.
static void terminated(int number) {
  if (is_waiting) {
    ssize_t ignored = write(2, waiting, strlen(waiting));
    (void)ignored;
  }
  _exit(128 + number);
}

void fxmpi_say_waiting(const char* text) {
  is_waiting = 0;
  if (!text) return;
  snprintf(waiting, sizeof waiting, "fx: %s: the launcher ended the rank while it waited\n", text);
  is_waiting = 1;
}

int fxmpi_init(int* rank, int* size) {
  int is_there = 0, provided = 0, code;
  MPI_Initialized(&is_there);
  if (!is_there && (code = MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided))) return code;
  if (is_there && (code = MPI_Query_thread(&provided))) return code;
  if (provided < MPI_THREAD_MULTIPLE) return FXMPI_NO_THREADS;
  if (!is_there) {
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = terminated;
    sigaction(SIGTERM, &action, NULL);
  }
  if ((code = MPI_Comm_rank(MPI_COMM_WORLD, rank))) return code;
  return MPI_Comm_size(MPI_COMM_WORLD, size);
}

int fxmpi_finalize(void) {
  int is_there = 0, is_over = 0;
  MPI_Initialized(&is_there);
  MPI_Finalized(&is_over);
  return is_there && !is_over ? MPI_Finalize() : 0;
}

void fxmpi_abort(int status) {
  MPI_Abort(MPI_COMM_WORLD, status);
  _exit(status);
}

void fxmpi_describe(int code, char* text, size_t capacity) {
  char buffer[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (code == FXMPI_NO_THREADS) {
    snprintf(text, capacity, "this MPI is built for calls from one thread only");
    return;
  }
  if (MPI_Error_string(code, buffer, &length)) snprintf(buffer, sizeof buffer, "MPI error %d", code);
  snprintf(text, capacity, "%s", buffer);
}

// Making a communicator waits inside MPI, so another thread does it and this one counts the time.
struct making {
  MPI_Group group;
  int tag, code, is_done;
  MPI_Comm comm;
  pthread_mutex_t lock;
};

static void* make(void* argument) {
  struct making* making = argument;
  MPI_Comm comm = MPI_COMM_NULL;
  int code = MPI_Comm_create_group(MPI_COMM_WORLD, making->group, making->tag, &comm);
  if (!code) MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  pthread_mutex_lock(&making->lock);
  making->code = code;
  making->comm = comm;
  making->is_done = 1;
  pthread_mutex_unlock(&making->lock);
  return NULL;
}

int fxmpi_make_group(const int* ranks, int count, double seconds, fxmpi_group** group) {
  *group = NULL;
  MPI_Group world;
  struct making* making = calloc(1, sizeof *making);
  fxmpi_group* made = calloc(1, sizeof *made);
  if (!making || !made) return MPI_ERR_NO_MEM;
  pthread_mutex_init(&making->lock, NULL);
  int code = MPI_Comm_group(MPI_COMM_WORLD, &world);
  if (!code) code = MPI_Group_incl(world, count, ranks, &making->group);
  pthread_t thread;
  if (!code && pthread_create(&thread, NULL, make, making)) code = MPI_ERR_OTHER;
  if (code) return code;
  double end = now() + seconds;
  for (;;) {
    pthread_mutex_lock(&making->lock);
    int is_done = making->is_done;
    pthread_mutex_unlock(&making->lock);
    if (is_done) break;
    // The thread cannot be stopped; its memory stays with it.
    if (now() > end) return pthread_detach(thread), -1;
    usleep(200);
  }
  pthread_join(thread, NULL);
  code = making->code;
  made->comm = making->comm;
  free(making);
  if (code) return free(made), code;
  *group = made;
  return 0;
}

static MPI_Datatype element_type(int element) {
  switch (element) {
    case FXMPI_F32: return MPI_FLOAT;
    case FXMPI_F64: return MPI_DOUBLE;
    case FXMPI_I8: return MPI_INT8_T;
    case FXMPI_I16: return MPI_INT16_T;
    case FXMPI_I32: return MPI_INT32_T;
    case FXMPI_I64: return MPI_INT64_T;
    case FXMPI_U8: return MPI_UINT8_T;
    case FXMPI_U16: return MPI_UINT16_T;
    case FXMPI_U32: return MPI_UINT32_T;
    case FXMPI_U64: return MPI_UINT64_T;
    default: return MPI_BYTE;
  }
}

static MPI_Op operation(int reduction) {
  switch (reduction) {
    case FXMPI_MAX: return MPI_MAX;
    case FXMPI_MIN: return MPI_MIN;
    case FXMPI_PROD: return MPI_PROD;
    default: return MPI_SUM;
  }
}

static MPI_Comm communicator(fxmpi_group* group) { return group ? group->comm : MPI_COMM_WORLD; }

#define BEGIN(count, call)                             \
  if ((count) > INT_MAX) return MPI_ERR_COUNT;         \
  fxmpi_request* made = calloc(1, sizeof *made);       \
  if (!made) return MPI_ERR_NO_MEM;                    \
  int code = call;                                     \
  if (code) return free(made), code;                   \
  *request = made;                                     \
  return 0;

int fxmpi_all_reduce(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group* group, fxmpi_request** request) {
  BEGIN(count, MPI_Iallreduce(in, out, (int)count, element_type(element), operation(reduction), communicator(group), &made->request))
}
int fxmpi_all_gather(const void* in, void* out, size_t bytes, fxmpi_group* group, fxmpi_request** request) {
  BEGIN(bytes, MPI_Iallgather(in, (int)bytes, MPI_BYTE, out, (int)bytes, MPI_BYTE, communicator(group), &made->request))
}
int fxmpi_reduce_scatter(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group* group, fxmpi_request** request) {
  BEGIN(count, MPI_Ireduce_scatter_block(in, out, (int)count, element_type(element), operation(reduction), communicator(group), &made->request))
}
int fxmpi_all_to_all(const void* in, void* out, size_t bytes, fxmpi_group* group, fxmpi_request** request) {
  BEGIN(bytes, MPI_Ialltoall(in, (int)bytes, MPI_BYTE, out, (int)bytes, MPI_BYTE, communicator(group), &made->request))
}
int fxmpi_broadcast(void* bytes, size_t count, int root, fxmpi_group* group, fxmpi_request** request) {
  BEGIN(count, MPI_Ibcast(bytes, (int)count, MPI_BYTE, root, communicator(group), &made->request))
}
int fxmpi_send(const void* bytes, size_t count, int peer, int tag, fxmpi_request** request) {
  BEGIN(count, MPI_Isend(bytes, (int)count, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &made->request))
}
int fxmpi_receive(void* bytes, size_t count, int peer, int tag, fxmpi_request** request) {
  BEGIN(count, MPI_Irecv(bytes, (int)count, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &made->request))
}
int fxmpi_barrier(fxmpi_group* group, fxmpi_request** request) {
  BEGIN((size_t)0, MPI_Ibarrier(communicator(group), &made->request))
}

int fxmpi_wait(fxmpi_request* request, double seconds, int* done) {
  double end = now() + seconds;
  *done = 0;
  for (int turn = 0;; turn++) {
    int code = MPI_Test(&request->request, done, MPI_STATUS_IGNORE);
    if (code) return code;
    if (*done) return free(request), 0;
    if (now() >= end) return 0;
    // Ranks may be more than cores: who waits gives way, and after a while sleeps.
    if (turn < 2000) sched_yield();
    else usleep(50);
  }
}

#else

// Any code but 0: there is nothing to ask.
int fxmpi_is_built(void) { return 0; }
int fxmpi_init(int* rank, int* size) { return *rank = *size = 0, 1; }
int fxmpi_finalize(void) { return 1; }
void fxmpi_abort(int status) { (void)status; }
void fxmpi_describe(int code, char* text, size_t capacity) {
  (void)code;
  snprintf(text, capacity, "this build has no MPI");
}
int fxmpi_make_group(const int* ranks, int count, double seconds, fxmpi_group** group) {
  (void)ranks, (void)count, (void)seconds;
  return *group = NULL, 1;
}
int fxmpi_all_reduce(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group* group, fxmpi_request** request) {
  (void)in, (void)out, (void)count, (void)element, (void)reduction, (void)group;
  return *request = NULL, 1;
}
int fxmpi_all_gather(const void* in, void* out, size_t bytes, fxmpi_group* group, fxmpi_request** request) {
  (void)in, (void)out, (void)bytes, (void)group;
  return *request = NULL, 1;
}
int fxmpi_reduce_scatter(const void* in, void* out, size_t count, int element, int reduction, fxmpi_group* group, fxmpi_request** request) {
  return fxmpi_all_reduce(in, out, count, element, reduction, group, request);
}
int fxmpi_all_to_all(const void* in, void* out, size_t bytes, fxmpi_group* group, fxmpi_request** request) {
  return fxmpi_all_gather(in, out, bytes, group, request);
}
int fxmpi_broadcast(void* bytes, size_t count, int root, fxmpi_group* group, fxmpi_request** request) {
  (void)root;
  return fxmpi_all_gather(bytes, bytes, count, group, request);
}
int fxmpi_send(const void* bytes, size_t count, int peer, int tag, fxmpi_request** request) {
  (void)bytes, (void)count, (void)peer, (void)tag;
  return *request = NULL, 1;
}
int fxmpi_receive(void* bytes, size_t count, int peer, int tag, fxmpi_request** request) {
  return fxmpi_send(bytes, count, peer, tag, request);
}
int fxmpi_barrier(fxmpi_group* group, fxmpi_request** request) {
  (void)group;
  return *request = NULL, 1;
}
int fxmpi_wait(fxmpi_request* request, double seconds, int* done) {
  (void)request, (void)seconds;
  return *done = 0, 1;
}
void fxmpi_say_waiting(const char* text) { (void)text; }

#endif

#ifndef CONNX_H
#define CONNX_H
#endif

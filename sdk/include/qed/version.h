#ifndef QED_VERSION_H_
#define QED_VERSION_H_

/* Version of qed, for people. The ABI has numbers of its own: see abi.h. CMake reads this line. */
#define QED_VERSION "0.1.0"

#endif /* QED_VERSION_H_ */

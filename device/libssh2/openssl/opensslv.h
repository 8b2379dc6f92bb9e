/* libssh2 leaves out algorithms that are unsafe by today's measure, and the crate that builds it has no say in that. It does compile
   with OpenSSL's folder of headers before all others, and takes in this one first: so this is the place to switch them on for libssh2 and
   for nobody else. They are offered only to devices whose resource or profile says `legacy`. */
#define LIBSSH2_KEX_SHA1_ENABLE 1
#define LIBSSH2_RSA_SHA1_ENABLE 1
#define LIBSSH2_DSA_ENABLE 1
#define LIBSSH2_3DES_ENABLE 1
#define LIBSSH2_HMAC_SHA1_ENABLE 1
#define LIBSSH2_MD5_ENABLE 1

#include_next <openssl/opensslv.h>

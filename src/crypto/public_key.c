#include "crypto/public_key.h"

#include "base/must.h"

static const struct {
    struct str name;
    enum public_key_kind kind;
} algs[JWS_ALGS] = {
    [JWS_RS256] = {{"RS256", 5}, PUBLIC_KEY_RSA},  [JWS_RS384] = {{"RS384", 5}, PUBLIC_KEY_RSA},
    [JWS_RS512] = {{"RS512", 5}, PUBLIC_KEY_RSA},  [JWS_PS256] = {{"PS256", 5}, PUBLIC_KEY_RSA},
    [JWS_PS384] = {{"PS384", 5}, PUBLIC_KEY_RSA},  [JWS_PS512] = {{"PS512", 5}, PUBLIC_KEY_RSA},
    [JWS_ES256] = {{"ES256", 5}, PUBLIC_KEY_P256}, [JWS_ES384] = {{"ES384", 5}, PUBLIC_KEY_P384},
    [JWS_ES512] = {{"ES512", 5}, PUBLIC_KEY_P521}, [JWS_EDDSA] = {{"EdDSA", 5}, PUBLIC_KEY_ED25519},
};

enum jws_alg jws_alg_of(struct str name)
{
    for (enum jws_alg alg = JWS_ALG_UNKNOWN + 1; alg < JWS_ALGS; alg++) {
        if (str_eq(name, algs[alg].name)) {
            return alg;
        }
    }
    return JWS_ALG_UNKNOWN;
}

bool jws_alg_fits(enum jws_alg alg, enum public_key_kind kind)
{
    must(alg < JWS_ALGS && kind < PUBLIC_KEY_KINDS);
    return alg != JWS_ALG_UNKNOWN && algs[alg].kind == kind;
}

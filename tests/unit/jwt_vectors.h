/*
 * tests/unit/jwt_vectors - keys and signatures that another implementation made.
 *
 * Made once with Python's cryptography package; the private halves are gone. What Ed25519 signs is
 * signed in the test itself.
 */
#ifndef TESTS_UNIT_JWT_VECTORS_H
#define TESTS_UNIT_JWT_VECTORS_H

#include "crypto/public_key.h"

static const char RSA_MEMBERS[] =
    "\"kty\":\"RSA\",\"n\":\"6rB2Krbfwkfo2FfD0cJWczCZLLNGPTnGRJAT2lMCTQQ7xNHRPpI22sUrn4OoNAiuw4EFq3jvqY6-9kAwpaH"
    "CnDcAuRjM4DLeH2SjvdjmXxcyqZNVtdkCldA56UZI07ggtN8C5-sFQ7nKMzAsbeh9UoYEuPC9Ebnu0dWue9bqzgUfviSBJBZxY5y"
    "2iBFJdsZgsP5AYVIRW3-qpaywb7Nb5gMkb3eVGL93XDK9n6LN3Rpsyotg5Xf8ZqMHJ-UePPyyK5L7Hb8vkcJWG3Nffoc_H5f9DQa"
    "JrDoKWl6oo-InKSkFDcW0ahopXIWxeFegew0Rn3RuNxJ2LwiRESET-pgFvQ\",\"e\":\"AQAB\"";

static const char RSA_1024_MEMBERS[] =
    "\"kty\":\"RSA\",\"n\":\"ytgQI7FWAKa5zlNdGqX4uWE9yf8dL6POzXrQxnno28TCxq0fPzuFO5g5-PU1L48WQSUC-pBj9v7tbxybe8h"
    "o8EnAMOS9owTad9aadGN85sWx7q7ovhRz4GLGCbz-C32moaAJ1ghFh6ytqa51GsvDb9Fr8AVV1xFk9gJi-IhcxmM\",\"e\":\"AQAB\"";

static const char P256_MEMBERS[] =
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f-1h0y_bidS-AWZn-eKba0qzzxHmAPiBvx-e_cqW2T4\",\"y\":\"RngaaYNePO3yk8CcxTep"
    "6xL1d_wtbemuxGfd2i7vZEI\"";

static const char P384_MEMBERS[] =
    "\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"cO4wZElU_wXXwvwom53x3d6Pz1iOwycV4ToJI3A-g9h9HbiJwvUya5-xbXLugMxU\",\"y\":"
    "\"AGXth99SBgaBBnbOoDv-mffy811Zf6JN6EXm1xfKenlbpS5mOuWsTD3Ws6yTfAtR\"";

static const char P521_MEMBERS[] =
    "\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AU-FMz35miiMItHv23C5R4OQsRwvzXtbX3CJAxI1B9E9eP13mLarYgBYPTld_paOUgTYJw"
    "B3aTJk4W2UrvMyBfRW\",\"y\":\"AQVY_25WHfUMk3WDg4UTFX-r8f0HpY6gOKv8KOr8FTQ0iQ1k-8OloF90c8HTZ37EIMngHvqk3Fx"
    "iso54vqMo6Xjo\"";

static const char OTHER_P256_MEMBERS[] =
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"fl3c-Rr3WzjcIADTsEqb-uNAzKGpxHTYzWdvu3qdBKU\",\"y\":\"zI_059Icqdm2HslZNVQj"
    "qGUOT0bCEEvJU3dBeQiXIPk\"";

/* Over "signed by each". */
static const struct {
    enum jws_alg alg;
    const char *signature;
} SIGNED_BY_EACH[] = {
    {JWS_RS256,
    "nA8ShKpza8gHsu1r1RnjtFFo977icUNts9T6y4xYC7ymVeuM9txb9I5h549HCNJvDQXpvnbwFO-RQJdcO8cY91iUnPUc00eE2h7Q"
    "2egXvT-vejtJ5X2ApafgSHeyyt3n9WfszE1DbVQrV6rObDVCErz5ORJG0-M_wsqgL9P1x2s7bBqCAf-w_hyuBMewCazwBUeRJwEy"
    "ZIoigeMJn-R2SN2Ok8brdGKc81_m8ghCY0xzuBR7dGdKOCZ09RzAwvxYAOQXzOmWD7_hjAhkZkmGnMKF8CYxuLJCOnI1Kq9jPbSw"
    "5kXJ9-GTqNQQn5XyYnSrdVjXnhxr9XrmZoTElF5lRg"},
    {JWS_RS384,
    "sIsQw4VJhlz5iOfMH_HbOIfY2m9-5PyGfytQ2ih_LYfJwL77UnpL2vHa0oYxY6VxDDWB27HN1C2OGa528O48uWFWH8rjJhvl5Emj"
    "KEXzOzLGsuCAPElON_IiqKHpUkVrfu-b6hL93V1O0aEoZaX1AVmVxZNZOvWINIfDf2s2Yu7l1ilMvfiI3m8ZgVAW3KhmYRGDfsPS"
    "LYFNTDYj8LTHt9T__1ExO8Kk6jXhKpFNbMrnwkOxOtSKiT-klrpMnQWo1lAML3WWuKQWVPuf4VlacFen97cWrFcMX7sRDlIQ2Dqo"
    "YljNswe3t_JtI9oi7zucyqX8rFWr8UA415YWUjiqlw"},
    {JWS_RS512,
    "DIxrsN7ZBd_bjl59S7LGvw8OpxxKhxfo25NT6HrFBA0SsVCIuUlRz-so1wypr5G-eyKBnH7DeqUw_pYryKowurpmouEWXPzdSF4K"
    "RXZMIbDjxfuqmWNKD1dzexYsInJ4Px47-n5vsJYUGxsF5agvjCPB3A8cBfkI4kiKW1t-6gryvgJ5b9ia6NS5836ws1-am3LkQTmm"
    "vlIRpkqP8--vtRzcYwO7NM71acmzmgLuJ4JsA3XZic5Prx41NpMKI315rmX0rooeaH1gCLVHPpj5lAQ4PSyKWSdxSg1vasr5a0_Q"
    "bDGWS7kolGGg0dkrbnp36Yw4MaAu46_E-CEQv1dtTQ"},
    {JWS_PS256,
    "Mz2lLSzgNzpzB-iwwW5m3WVetWZBbyjjF7tB_7Ntmj8pAtXMFrUeNYu7zlglmrHAcBJM8Nn66CIUnom2xhu7kGK-XM379xhgBSml"
    "sy9wmLlBYNgrwSsHTJE6Pn41aiuGLGD-YSGFgLMV-4FsqJg1r75cy3BVL3Y_xMZuFXrIUJufvYeOEKv3t8aPVOH_v2y-iC-rBYE2"
    "VXZZGxha6KdxlMjveY5ruECKrlyi7XlYbZJxK9r_SpStKxGpFcRXUfr87HPSmTrIXPdRFXHNzwDlEx7yPaG3CcezFl7RLw5aoah3"
    "lRVEoEvSQKfuHu4C9WrFNvFtEgi_VQsJ3dWQJPD4Ew"},
    {JWS_PS384,
    "3JPUYT5DlqwapTnXrHG3Crjak9caM1sWiFyMvdNt5_3GUcsxtpPz9qTu6DGfaOs6cagTryenaZHs0jsVAz5hdi_3P9QFra0BkBYT"
    "Fql4ABCIblS2l7tMORXTojp4KIM0oMbFTBQu3ULdfcOF_wNE4O92Q6JU1ns7YiVGS3fy9OWh7QndHDdr0XMWYH9GNy9vKhJTtQD_"
    "MOKPFcuD7al8JGfS9CWuxwTJZM9R14XLgD0au1mLYf162wuJVKDtHEFqUNKMwvzhTJGmubnJlNt7tnZxreOo5R6rf1ovkay-T4NC"
    "HWjxR-7qaAe9pgFTtJuo2ejCpSvsAOyO1dTQH9_coQ"},
    {JWS_PS512,
    "t0pC-RjRoCEbHIoHYGo0q7tOcVMHQypGiQzN5xftnyBrM4as9vWQE_ya5hbqii3fT1YcnqIQyrE56CX_zWoPaNicoxVvF_ZjWOYE"
    "Fce_U2t6bZQQcnPI-lI1p-1TfGhfsj0OA_aznHvTVlnGOk24sVZuv0R2qBWzW1xrqGCENMQ0QAl-RqLT5sJ12HAxRghYw0pPE38S"
    "EmEVrLOZHMA56IdD-8GRmBzBW_uzpXAFEL0Qu8s5rNCwRM1f7BUY9vpRlTkvjqKeNtW3DvXcfS3W4QRVhUCakr6VnumBXJUte43J"
    "B3iJswM4ktu9gno-7dOX4340LtV8WHu0AuuloaDQ1w"},
    {JWS_ES256,
    "kFOXsVx8GUIZa_AFXywFbKJTBynaVU9ZWXOJOOOx3Ncsyk9iRSMtpIw5mMpY08ax6Rl1EUvH2-tikUz7c6S3TQ"},
    {JWS_ES384,
    "1SG1_-RuSyrgg0yeSSJ1G2Ad1UUr2bcQxzyro3MijYiTtEND7jdjBVggJ9StZfkzYqYDFZpy2xOYdZchwt7O4vE2YP3aOesVV0Yp"
    "Ml1uhDsolxaf_pl3ukIkrpyMvgLg"},
    {JWS_ES512,
    "AKLCcloP-OrZHwQLA2OY8A1Ysy1LgknKcp25LOR8tqQdKiijmZ15u7jcEwKFtcqB4bcn_PAqZ6-8v7_TLVJhqvwaAbHtaogyb1ty"
    "plFOiHOuoiwRjdurx7_XH6SIrFrcrkY46GwQu4AIQyrc8AJCVK0Zb0okhKTQE7Z33-mOU-jNX7-N"},
};

static const char PS256_LONG_SALT[] =
    "Oei1ADVo-QjuS_171fG63iVDmfftWpJfMaZsxQTudtc-rtBJ4laT-_WHbuIQ7jBQjIGLUFyHnLtCTdBioxfC33D-l744r9PhTHNm"
    "SVFzNC2FmLa4G1tMyc6Cb_qP4Du-Cxd7MWuWZqUCNTs2sf5O5P9PLrs7BBLPVfKolCdUCX9vAsiB8vCaVHLUP-Lya6-p42X-2lV4"
    "bUJKZv-BmTluJdWx9PWrd6lnzOEDZEMb-dCX2Pt4yKfyk9f37xfB6P24bOSYlKHm-YDvPkqFHaiR0E0n5SQNyHZpAnEidL4oL_fX"
    "-qOzksKkDuKQKKCKP2UNRFFQfhv-LvIxetgPu3GjKg";

static const char ES256_DER[] =
    "MEUCIQCYNJCbW94wPuQh0EZKc4VN3AX2rSo8ZI2mzQ31BGIlHwIgP8rb-RGfqzxQHoDRtHSwfmeWIoMBKTwSePV4KQ_-Y_I";

/* What the OIDC and the SPIFFE rules of the test accept. */
static const char OIDC_RS256[] =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXV"
    "kIjoicGF3bCIsInN1YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.wNeMwqe1b2shZK1P9nyMMXC7GwBwmcIkmHV"
    "EDQrRlrvZnR0oCcknkL-QUI6BUWaEEqMenxbb--QwzIlOSmW2AcN8Mr81MVf5SgLvxpGr865jeDUU7oX_01hORvkEnXgIPLlaxV6"
    "RfNCVkFKh63bzaFgvPFhboFsEdIHNPG-bMj1limNc4HKv_G_XFR6_c-5JX3LcR-LSfPWlUIDnzkH3Lt3guP9w4mCIp4fMztplBP1"
    "jB0RfiP11LJ7yeWIrCTXxsG4EdduxpWm-dE9_6KHmunaL7uwa7RgLC5-8aTgYG9s9EqzvDPE6J4KZJd1QsJTYvBQpSQbAgwJTaEE"
    "--3bXCw";

static const char OIDC_PS256[] =
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiw"
    "iYXVkIjoicGF3bCIsInN1YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.p8nPS4HjgnwWFpnsa3W87SBm2VBKcnq"
    "KS8K8tjHqdv0V7QZYwZ7_sRKwFwSuqUt0s-HisLbrHIFoJzzc9Y3LTkpTn9lZ0kbSeTVh0cyszQikT3w1VGoIrXqm_S-d4bLi-r-"
    "Arf2AAY4PTpPlD3gOGKVqUBJIJXNwQzjsdfHx1M5_1Cz1MtVOoPiDMIvFuQiqGKbDwrhvi9RF-xIRHuXAJ8pHqKYc3p-JtPXPplK"
    "8Pd-fJNaA6tvNXihY1bbaDJ2ZsQVznmsASbmiOKmHajinWTs9wPTXde3kc6TAd8OYvOx2NXAMn4mO7vxahHd4a254UrJbxYlulrj"
    "-YtBh1yKslg";

static const char OIDC_ES256[] =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoicGF3bCIsInN1"
    "YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.OfbSDBrU4aEuAz8tt8GGt6q0V5a1vRiG1GZMEvsx5V0fGWwfcxh8"
    "__WzYuta5CYm-VE-MdwbTwolV0h3ZnXX8A";

static const char OIDC_ES256_OTHER_KEY[] =
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoicGF3bCIsInN1"
    "YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.GX2oWLXLe_d8hzNv5cHk0Hhz9TqF51zAee66Rdl6vZyBUjes09hb"
    "ldhj4PcUh1c0xEOARzsH4878apDYPVRg5w";

static const char OIDC_RS512[] =
    "eyJhbGciOiJSUzUxMiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoicGF3bCIsInN"
    "1YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.qArJfjcIeIuKMxXul_8UN5Nucsg0wiGLlngHjd0NK8gWHRrMKV4"
    "NNzYH6Hp_-fpt6GRgUSddHBX1m2yo1P81KH55q6wJmosVyRS2cHgQg6JCkqZ6zxKKsvpL5wHsL5jWqM6Kk4M_erCZQsRQxKMmIEL"
    "F2Y5KAHbJgRRENE3y6jjfhY9DWGVjG9TYSonj21idDIBIYaaPeNsOM43B9yjxo-xxPDv2Lb2i-hT2Nc7HmiZejCNj4AlV1U2hYHz"
    "X_r1S0zif4nY8xFW1rRWqO0w4g4ZKJoh06RUYiO05aL1ppqfZYCvvpjm3o9T9RrylG8vowenkXb6Y9HIOTGAQ5zK6WA";

static const char OIDC_ES384[] =
    "eyJhbGciOiJFUzM4NCIsImtpZCI6InAzODQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoicGF3bCIsI"
    "nN1YiI6ImFnZW50LTciLCJleHAiOjIwMDAsImlhdCI6MTAwMH0.zCHxjdWcy2_7ppvoHGJ9a6XF1cx8Rv3CyvojNNulmXbpTX0Zl"
    "ZrQHxxqPO_b3bDrnvCrjUhqRawxeMhtT4ttCLpJakzKbaq-F-3BmC-bTyZ1M-4PvOt9bmb6Comrc7aN";

/* error: null when the rules accept it. */
static const struct {
    const char *error;
    const char *token;
} SPIFFE_TOKENS[] = {
    {NULL /* a token of the profile */,
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.O5aXueFn8qAVbgkuMJcr_8pP3cUDWx1BDN7e9hEIG"
    "PnXIvayR8mRDQn0PkmZ2if4SoPt3D9T7CXdxb69jWOsWQ"},
    {NULL /* typ JOSE */,
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKT1NFIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vu"
    "dHMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.9NN5L7BqQEHDC2iIAzf3xYxd8f_fMPEwmQu-pk7y"
    "iBkb5otzaLsgPmOeogmK4yPO-ks4T0VG4Y6FLzrtV-Q8HQ"},
    {NULL /* no typ and no kid */,
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm9"
    "0aGVyIl0sImV4cCI6MjAwMH0.S1982VJEmrxiBrujQKtCtKagOb99FUeIwMqNYYckrZVLEcgj2s1cy7JfJhokCAZYySu0fDXuI60"
    "_HmLyMaxqAw"},
    {NULL /* issued by someone */,
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMCwiaXNzIjoiaHR0cHM6Ly9zcGlyZS5leGFtcGxlIn0.t"
    "fwhou4KMPKn-ammsp2b5TBEQ77eVBbomLCNshoJLKPt0o5xS7X_yrnuNHMngOuzY_WTqJv29Z8SXQfpbN2GdQ"},
    {"header: typ is not one that is accepted",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJqd3QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.YmwISY803ME3VxzJaQh3mEPjcTjmROZr_2g8yZA9b"
    "DEtNQqBZjOt3xy0E6xg5oWXyPhJLSDgAdPOb8xCDie_ww"},
    {"header: typ is not one that is accepted",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJhdCtqd3QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ"
    "2VudHMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.xrgBnZ0SSPtP-i7Z0YU1DlO21cyC5pqOsANQQ"
    "bMacZBexyQ4qwmH8rINxDsqry-hAqTOwQaoFyG2zZpwqLcKrQ"},
    {"header: only alg, kid and typ are allowed",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QiLCJqa3UiOiJodHRwczovL2V2aWwuZXhhbXBsZS9rZXlzIn0."
    "eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAw"
    "MH0.oD74v01fUpbIihw6A0wqnu0corGcxlsfyU8mOEJUOud70RMzQOAaJQ5lsVh95ICXlTpstlw9DeIUA_sWRhZbYQ"},
    {"header: only alg, kid and typ are allowed",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QiLCJqd2siOnsia3R5IjoiRUMiLCJjcnYiOiJQLTI1NiIsIngi"
    "OiJmbDNjLVJyM1d6amNJQURUc0VxYi11TkF6S0dweEhUWXpXZHZ1M3FkQktVIiwieSI6InpJXzA1OUljcWRtMkhzbFpOVlFqcUdV"
    "T1QwYkNFRXZKVTNkQmVRaVhJUGsifX0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIiLCJhdWQiOlsi"
    "cGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0._Khxa83SLx3q8EQajQi3SGwCe6ftEI_v_Nu_u3X1WjPh1t2Kwpcd_yyKIWmm2ayy"
    "kFYLCiUF5mrt0kVET1NlZw"},
    {"the signature is wrong",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.00Le4zXIXyRuEN5iIjx9TWC1y7P2pJM0RWhGZ3SEX"
    "AsXlIWumuo_EHDZU1NhHiIse-wAEb5CHdgPXDLFQhFs6Q"},
    {"sub is of another trust domain than the keys",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9vdGhlci5leGFtcGxlL2FnZ"
    "W50cy9maXhlciIsImF1ZCI6WyJwYXdsIiwib3RoZXIiXSwiZXhwIjoyMDAwfQ.dK36LQ__6OHM7TYsub1NZOXIblzXclw3EE1acp"
    "-zZSFqmVRxqoO_K-6nhZHE5erYw-NrkI2pj1sEegKQWDNRLw"},
    {"sub is of another trust domain than the keys",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy5ldmlsL"
    "mV4YW1wbGUvYWdlbnRzL2ZpeGVyIiwiYXVkIjpbInBhd2wiLCJvdGhlciJdLCJleHAiOjIwMDB9.8eMQbSqQuwTGRgUNMbRPgQDb"
    "WUkDGDhUgskHGBpx-BsFyVbyQ8BZ3y7Rry1oT9aCUGPgbxNOp6lWIqC2yushcA"},
    {"sub: the SPIFFE ID names a trust domain and no workload",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZyIsImF1Z"
    "CI6WyJwYXdsIiwib3RoZXIiXSwiZXhwIjoyMDAwfQ.WjOXYVH9ZE40XR0TKAcSB1R5g6dlSxyEcg_0yJb1vcunfKjxR5Ienbk-WR"
    "JQeKfGqeR1cQFWpdbraTF4zKR0Qg"},
    {"sub: a SPIFFE ID begins with spiffe:// and has at most 2048 bytes",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhZ2VudC03IiwiYXVkIjpbInBhd2wiLCJvd"
    "GhlciJdLCJleHAiOjIwMDB9.9TVQs-gI2W2M-NbYhgl0huV7yyRzINsDH5kaPXee4hFHmzx_d8HYp84NhoBB7yqR7BI0XMuznFWo"
    "4GziDcGlsA"},
    {"sub: a SPIFFE ID begins with spiffe:// and has at most 2048 bytes",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwM"
    "H0.zu66QxpOGuTJ2YtsL0Fi_As3G3Pt8Z_3JN8vlDJWbxpLFYiEvDpsg2xZ9nEz8HRi6o4zoPFfGF_U3V4mptBl8A"},
    {"aud is a string or an array of 1 to 32",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJleHAiOjIwMDB9.k_OzFcmnkrQCKFykdcGjLsDTnzvHdQOEEwkbaOfOfeLvsX4Xq_B8nhq8-rD4XaSIFnwrGuAi"
    "9xrzdnaI0KCg6w"},
    {"the token is for another audience",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsib3RoZXIiXSwiZXhwIjoyMDAwfQ.iYGM9P38GQYdwFy5bpxvAV2vTX3e6n49s5QCp2e5u9ApQlETr6"
    "49i8bsx8AOAGZcN2i_mm_axSVcRz6FqivK9w"},
    {"the token has no exp",
    "eyJhbGciOiJFUzI1NiIsImtpZCI6InN2aWQiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2Vud"
    "HMvZml4ZXIiLCJhdWQiOlsicGF3bCIsIm90aGVyIl19.z5W8etVr-0me1Jz-aowOXH0uLNyyZcOd2O0_OdnoIQR5Fl2BEf5H1rf_"
    "MHK_OHIneOE5qZYAqX3oFxqnyhjF_g"},
};

/* The other algorithms of the profile. */
static const char *const SPIFFE_ALGS[] = {
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InN2aWQtcnNhIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.e4DfyMmZ1wdfzazsX56yhEP4Jz3v6Eb3kSoCShOuxJkvH6g23DY-"
    "PMW6P2sc5bm3FwzgI6khMgIRGXLq8JgQ4Tcc_QSwmGjXLjEesuIOEngKP-xzi4vRxCor3tvz1gVUAq-on-ULQrVVVU99loNksgjs"
    "c2G85ZaFI2xZuidp3_ia1TevdNQVkbLh2BN_b0k2F-hWoZj1Q9n4Hkztc5k4diNsSqRoU2tMoxUadTcGGcVcVOeWR1uDir66-1ot"
    "Q60T27TrBWKekOzhgemAN4Kej8pEidyHzs29O82I0lzeALpxUqTb-7hXHeGJ5qI7wjGuuJBi9MKP_snA9M2RCYv4oQ",
    "eyJhbGciOiJSUzM4NCIsImtpZCI6InN2aWQtcnNhIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.SYX4GmFp2yyAH5yl12oM9mVbgXWyURQZY1RHYGQHLG88GgaWsxDx"
    "6PN6BfvGWKApZSfoMVBTGQoY5tCMxyCr1QI4twQKDrtdbgZyjKfLXORrm6sToTNemqFb-g2QGSE2qw8AaTXUGZGhFfyPwE00DWuB"
    "fcURjl4Zu-Fi96jxfDw4I8IzyZwQ11l_cNat2fAlkkXCsjdN_iGupLE1FP09qrNnU0FbrnZ5UPEc4PzVzJIbCFtZzEdmdH7TxfjA"
    "07iM8okcoSB3I-xuh1qMI4wXewDVaETkpf56UdRcyLTaI_RILB1LP86Ks7zyMVZcGaYIELAGjsqD4rBz0quLb-28CQ",
    "eyJhbGciOiJQUzM4NCIsImtpZCI6InN2aWQtcnNhIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.v7BXWalVodICrbltMCT_tzanpbG7cbxV2-lhU0FZXyracnGKqJe6"
    "NbNOnpwhzNNjJZ_ff8NKkJtbUMOl-iOhcouEGsB1bSlecRQsT_mhdU6naXUb-EHMjm0eZ3uPfT4tgBbOO3rOuaog3bHMB2xhk-KO"
    "F-smHqqc3Rqx9TEl-tFcfxQhId49nvpNPre4keD2g5EUlZgxYrdEpAZ6WqrZjY5_r3Gp2WDAqRq-T5VTjbDTChGy0nGoaeSNVON5"
    "u8vaPLAq3DHGLKxD48_0w_LKTQGwzfx10dD8r8cej0Bzi9By17SSVJVnwGBY8acGUjX0p0mNQrxWhx-IR8wG1r9w7A",
    "eyJhbGciOiJQUzUxMiIsImtpZCI6InN2aWQtcnNhIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.nImdebnmVzJ5--ID9WXQiKE3Lco21O7-Ppzqa3cxj-nJJEWSz9kB"
    "Ni2PN9G24v3Y4602pypMBVCr8xrFNZrcUgD6aGNRL-ogXSd19JeUuDkg7oD2-eYX59MLJ9KZsRidut7Z_4gOfJ6kFxapcinG_iY-"
    "9OzxmajsT_pcyF4EYIkwM1PGKQGrST9FouF1fT_LPq28Jv-l3ea8SRh_H0-akRU1VwI0Bod6yMSIIYwxUET4WBA5PRovPubjy1aY"
    "3eCe1dxxGcPudOewu5ugrsF06aG8ZykiXOJwPL06KqLvimx9ioPjTkJ7I2G6kNYWc3oC7vKrOg82VahylXldtgoOvg",
    "eyJhbGciOiJFUzM4NCIsImtpZCI6InN2aWQtMzg0In0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.cG-laRE85NJyv-yiYqNy0o5VEeKPYNe9eKgVyheRWBoUkpmnERh-"
    "_rIqbWBMgwA3-H3BCytBEMKosFlXd_mWpkpMN2WFiPueihvClK0Z71YcN8kuHTkGOmm3-cohK8xi",
    "eyJhbGciOiJFUzUxMiIsImtpZCI6InN2aWQtNTIxIn0.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlLm9yZy9hZ2VudHMvZml4ZXIi"
    "LCJhdWQiOlsicGF3bCIsIm90aGVyIl0sImV4cCI6MjAwMH0.AZhRg-zMWWF4yDLk9SgjEklXI2_bxvm-dbaJ2K2lwC4T0TEnda_I"
    "vGIJhHyuzNM8IL17NI45agi-UUu-heBtpfb9ARezZwUTiR7_TQTeXIJTtA2gHMc81Phs9bp8aP0wRHs9kl9dbwNeKssdzsd7FXOl"
    "shn6mrC0SztO1ySKjspBJDl9",
};

#endif

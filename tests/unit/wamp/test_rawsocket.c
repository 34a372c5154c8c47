/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/wamp/rawsocket.h"

static int expected_verdict(const uint8_t octets[4])
{
    unsigned number = octets[1] & 0x0F;

    if (octets[0] != 0x7F)
        return -1;
    if (octets[2] != 0 || octets[3] != 0)
        return 3;
    return number >= 1 && number <= 3 ? 0 : 1;
}

/* RAW-HS-1, RAW-HS-2, RAW-HS-3, RAW-HS-4, RAW-HS-6, threat-model P2: octet 2 in all values, octets
 * 3 and 4 zero and in all single values. */
static void every_handshake_is_judged(void **state)
{
    enum bondy_serializer serializer;
    uint32_t peer_max;

    (void)state;
    for (unsigned second = 0; second < 256; second++) {
        for (unsigned rest = 0; rest < 65536; rest++) {
            uint8_t octets[4] = {0x7F, (uint8_t)second, (uint8_t)(rest >> 8), (uint8_t)rest};
            int verdict;

            if ((rest >> 8) != 0 && (rest & 0xFF) > 1)
                continue; /* one bit in each of the two is enough */
            verdict = bondy_rawsocket_accept(octets, &serializer, &peer_max);
            if (verdict != expected_verdict(octets))
                fail_msg("7f %02x %04x: %d", second, rest, verdict);
            if (verdict != 0)
                continue;
            assert_int_equal(serializer, second & 0x0F);
            assert_int_equal(peer_max, 1u << (9 + (second >> 4)));
        }
    }
}

/* RAW-HS-5 */
static void other_first_octets_are_not_ours(void **state)
{
    enum bondy_serializer serializer;
    uint32_t peer_max;

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t octets[4] = {(uint8_t)first, 0xF1, 0, 0};

        assert_int_equal(bondy_rawsocket_accept(octets, &serializer, &peer_max),
                         first == 0x7F ? 0 : -1);
    }
}

/* RAW-HS-1, RAW-HS-3, RAW-HS-4, RAW-HS-8 */
static void replies_have_the_octets_of_the_specification(void **state)
{
    static const struct {
        uint32_t max_len;
        uint8_t nibble;
    } rows[] = {{0, 0},        {512, 0},       {513, 0},        {1023, 0},
                {1024, 1},     {65536, 7},     {1 << 20, 11},   {(1 << 24) - 1, 14},
                {1 << 24, 15}, {1u << 25, 15}, {UINT32_MAX, 15}};
    uint8_t octets[4];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bondy_rawsocket_reply(BONDY_CBOR, rows[i].max_len, octets);
        assert_int_equal(octets[0], 0x7F);
        assert_int_equal(octets[1], rows[i].nibble << 4 | 3);
        assert_int_equal(octets[2] | octets[3], 0);
    }
    for (unsigned error = 1; error <= 4; error++) {
        uint8_t wanted[4] = {0x7F, (uint8_t)(error << 4), 0, 0};

        bondy_rawsocket_reply_error(error, octets);
        assert_memory_equal(octets, wanted, 4);
    }
    bondy_rawsocket_request(BONDY_MSGPACK, 1 << 24, octets);
    assert_int_equal(octets[1], 0xF2);
}

/* RAW-FRAME-2, RAW-FRAME-3, RAW-FRAME-4, threat-model P2 */
static void every_first_octet_of_a_frame_is_judged(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned i = 0; i < 2; i++) {
            uint8_t octets[4] = {(uint8_t)first, 0, 0, (uint8_t)(i == 0 ? 0 : 5)};
            bool is_extended = (first & 8) != 0;
            bool wanted = (first & 0xF0) == 0 && (first & 7) <= 2 && !(is_extended && i == 1);
            enum bondy_frame_type type;
            uint32_t len;

            if (bondy_rawsocket_head(octets, &type, &len) != wanted)
                fail_msg("first octet %02x, length %u", first, octets[3]);
            if (!wanted)
                continue;
            assert_int_equal(type, first & 7);
            assert_int_equal(len, is_extended ? 1 << 24 : octets[3]);
        }
    }
}

/* RAW-FRAME-4 */
static void heads_read_back_as_they_were_written(void **state)
{
    static const uint32_t lens[] = {0, 1, 255, 256, 65535, 65536, 0xFFFFFF, 1 << 24};

    (void)state;
    for (unsigned type = 0; type <= 2; type++) {
        for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
            enum bondy_frame_type type_read;
            uint8_t octets[4];
            uint32_t len;

            bondy_rawsocket_write_head(type, lens[i], octets);
            assert_true(bondy_rawsocket_head(octets, &type_read, &len));
            assert_int_equal(type_read, type);
            assert_int_equal(len, lens[i]);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_handshake_is_judged),
        cmocka_unit_test(other_first_octets_are_not_ours),
        cmocka_unit_test(replies_have_the_octets_of_the_specification),
        cmocka_unit_test(every_first_octet_of_a_frame_is_judged),
        cmocka_unit_test(heads_read_back_as_they_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// An ICU data library without entries, in the place of the 34 MB about languages and calendars that Foundation links
// in statically, and that nothing here asks for (docs/decisions/0190). ICU documents this: its own build does so with
// source/stubdata. Names and layout: ICU's udata.h (UDataInfo) and ucmndata.h (MappedData, "ToCP": a table of pointers).
#include <stdint.h>

struct data_info {
  uint16_t size, reserved_word;
  uint8_t is_big_endian, charset_family, sizeof_uchar, reserved_byte;
  uint8_t data_format[4], format_version[4], data_version[4];
};

struct pointer_table {
  uint16_t header_size;
  uint8_t magic1, magic2;
  struct data_info info;
  char padding[8];
  uint32_t count, reserved;
  const void *first_name, *first_data;
};

// Hidden, so that it takes the place of the static library's member and of nothing in a shared one. With a toolchain
// whose ICU is not 76 nothing refers to it: the binary is larger then, and works the same.
__attribute__((visibility("hidden"), aligned(16))) const struct pointer_table icudt76_dat = {
    .header_size = 32,
    .magic1 = 0xda,
    .magic2 = 0x27,
    .info =
        {
            .size = sizeof(struct data_info),
            .is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
            .sizeof_uchar = 2,
            .data_format = {'T', 'o', 'C', 'P'},
            .format_version = {1},
        },
};

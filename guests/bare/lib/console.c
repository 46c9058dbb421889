// SPDX-License-Identifier: Apache-2.0
#include "guest.h"

enum { kThr = 0, kLsr = 5, kLsrThrEmpty = 0x20 };

void put_char(char c) {
  if (c == '\n') put_char('\r');
  while (!(read8(UART + kLsr) & kLsrThrEmpty)) {
  }
  write8(UART + kThr, (uint8_t)c);
}

void put_text(const char* text) {
  while (*text) put_char(*text++);
}

static void put_number(uint64_t value, unsigned base, int width, char pad, bool negative) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value);
  if (negative) digits[count++] = '-';
  for (int i = count; i < width; i++) put_char(pad);
  while (count) put_char(digits[--count]);
}

void print(const char* format, ...) {
  va_list list;
  va_start(list, format);
  for (; *format; format++) {
    if (*format != '%') {
      put_char(*format);
      continue;
    }
    char pad = ' ';
    int width = 0;
    bool wide = false;
    format++;
    if (*format == '0') pad = '0';
    for (; *format >= '0' && *format <= '9'; format++) width = width * 10 + (*format - '0');
    for (; *format == 'l'; format++) wide = true;
    switch (*format) {
      case 's':
        put_text(va_arg(list, const char*));
        break;
      case 'c':
        put_char((char)va_arg(list, int));
        break;
      case 'd': {
        int64_t value = wide ? va_arg(list, long) : va_arg(list, int);
        put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, width, pad, value < 0);
        break;
      }
      case 'u':
        put_number(wide ? va_arg(list, unsigned long) : va_arg(list, unsigned), 10, width, pad, false);
        break;
      case 'x':
        put_number(wide ? va_arg(list, unsigned long) : va_arg(list, unsigned), 16, width, pad, false);
        break;
      case 'p':
        put_number((uint64_t)va_arg(list, void*), 16, 16, '0', false);
        break;
      default:
        put_char(*format);
    }
  }
  va_end(list);
}

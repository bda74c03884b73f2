# One set of flags for both compilers; a warning is an error everywhere.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_compile_options(
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wformat=2
    -Wnull-dereference -Wconversion -Wcast-qual -Wpointer-arith -Wwrite-strings -Wundef -Wswitch-enum -Wdate-time
    -Wno-missing-field-initializers -Werror
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wjump-misses-init
        -Wimplicit-fallthrough=5 -Wcast-align=strict -Walloc-zero -ftrivial-auto-var-init=zero)
else()
    add_compile_options(-Wthread-safety -Wconditional-uninitialized -Wcomma -Wno-gnu-statement-expression)
endif()
# _GNU_SOURCE: pipe2, timegm, getrandom. Fortify needs optimization and quarrels with the sanitizers.
add_compile_definitions(_GNU_SOURCE)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
# assert() states caller bugs and stays on in every build.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
set(CONNECTORD_SANITIZE "" CACHE STRING "address,undefined or thread")
if(CONNECTORD_SANITIZE)
    add_compile_options(-fsanitize=${CONNECTORD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${CONNECTORD_SANITIZE})
endif()
